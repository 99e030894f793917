"""The address book over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.http_world import HttpWorld

NOA = {"name": "נועה Cohen", "numbers": ["+1 (202) 555-0143", "03-123 4567"], "note": "climbs\nsings"}


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


async def saved(http: HttpWorld, token: str, **fields: object) -> dict[str, Any]:
    answer = await http.call("POST", "/v1/contacts", NOA | fields, token=token, headers=http.key())
    assert answer.status == 201
    assert answer.headers["Location"] == f"/v1/contacts/{answer.json['id']}"
    return dict(answer.json)


async def test_a_contact_lives_over_http(http: HttpWorld) -> None:
    token = await http.person()
    noa = await saved(http, token)
    path = f"/v1/contacts/{noa['id']}"
    assert (noa["name"], noa["numbers"], noa["note"]) == (
        NOA["name"],
        ["+12025550143", "03-123 4567"],
        NOA["note"],
    )
    read = await http.call("GET", path, token=token)
    assert read.json == noa
    match = {"If-Match": read.headers["ETag"]}
    changed = await http.call("PATCH", path, {"note": None, "numbers": ["*2700"]}, token=token, headers=match)
    assert changed.json == noa | {"note": None, "numbers": ["*2700"]}
    late = await http.call("PATCH", path, {"name": "Noa"}, token=token, headers=match)
    assert (late.status, late.code) == (412, "changed_meanwhile")
    match = {"If-Match": changed.headers["ETag"]}
    assert (await http.call("PATCH", path, {"name": "Noa"}, token=token, headers=match)).json["name"] == "Noa"
    assert (await http.call("DELETE", path, token=token)).status == 204
    for method in ("GET", "DELETE"):
        assert (await http.call(method, path, token=token)).status == 404


async def test_contacts_page_newest_first(http: HttpWorld) -> None:
    token = await http.person()
    made = [(await saved(http, token, numbers=[f"0{n}"]))["id"] for n in range(5)]
    seen, cursor = [], ""
    while True:
        page = (await http.call("GET", f"/v1/contacts?limit=2{cursor}", token=token)).json
        seen += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen == made[::-1]


@pytest.mark.parametrize(
    ("fields", "flaw"),
    [
        ({"name": " Noa"}, ("/name", "invalid_contact_name")),
        ({"numbers": []}, ("/numbers", "too_short")),
        ({"numbers": [f"{n}" for n in range(21)]}, ("/numbers", "too_long")),
        ({"numbers": ["home"]}, ("/numbers/0", "invalid_contact_number")),
        ({"numbers": "123"}, ("/numbers", "wrong_type")),
        ({"note": ""}, ("/note", "invalid_contact_note")),
        ({"note": "x" * 2001}, ("/note", "invalid_contact_note")),
        ({"email": "noa@example.org"}, ("/email", "unknown_field")),
    ],
)
async def test_what_is_wrong_with_a_contact_is_said_by_place(
    fields: dict[str, object], flaw: tuple[str, str], http: HttpWorld
) -> None:
    token = await http.person()
    for method, path, body in (
        ("POST", "/v1/contacts", NOA | fields),
        ("PATCH", f"/v1/contacts/{(await saved(http, token))['id']}", fields),
    ):
        answer = await http.call(method, path, body, token=token, headers=http.key())
        assert (answer.status, answer.flaws) == (422, {flaw})
    empty = await http.call("PATCH", path, {}, token=token)
    assert empty.flaws == {("", "nothing_to_change")}
    assert (await http.call("PATCH", path, {"name": None}, token=token)).flaws == {("/name", "wrong_type")}


async def test_repeating_a_request_adds_nobody(http: HttpWorld) -> None:
    token = await http.person()
    answers = [
        await http.call("POST", "/v1/contacts", NOA, token=token, headers=http.key("one")) for _ in range(2)
    ]
    assert answers[0].body == answers[1].body
    assert [one.headers["Idempotency-Replayed"] for one in answers] == ["false", "true"]
