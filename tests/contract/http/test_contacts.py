"""The address book over HTTP."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.http_world import STRANGER, Answer, HttpWorld

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


def card(name: str, *numbers: str, note: str = "") -> bytes:
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{name}", *(f"TEL:{number}" for number in numbers)]
    return "\r\n".join((*lines, *([f"NOTE:{note}"] if note else []), "END:VCARD", "")).encode()


async def sent(
    http: HttpWorld, token: str, file: bytes | io.BytesIO, query: str = "", **headers: str
) -> Answer:
    headers = {"Content-Type": "text/vcard; charset=utf-8", **headers}
    return await http.call("POST", f"/v1/contacts/import{query}", raw=file, token=token, headers=headers)


async def listed(http: HttpWorld, token: str) -> list[tuple[str, list[str], str | None]]:
    items = (await http.call("GET", "/v1/contacts?limit=100", token=token)).json["items"]
    return [(one["name"], one["numbers"], one["note"]) for one in items]


async def test_a_file_is_imported_as_far_as_it_goes(http: HttpWorld) -> None:
    token = await http.person()
    await saved(http, token, name="Noa Cohen", numbers=["+12025550143"], note=None)
    file = b"".join((
        card("Noa", "+1 202 555 0143", "054-234-5678", note="climbs"),
        card("Nameless number"),
        b"BEGIN:VCARD\nTEL:1\nADR:;;somewhere\nEND:VCARD\n",
        card("Dad", "03-123-4567").replace(b"END", b"EMAIL:dad@example.org\r\nBDAY:1970-01-01\r\nEND"),
        card("Cut off", "1")[:-12],
    ))  # fmt: skip
    report = await sent(http, token, file, "?country=IL")
    assert report.json == {
        "added": 1, "merged": 1, "skipped": 3, "dropped": 2,
        "skips": [
            {"position": 2, "reason": "without_number"}, {"position": 3, "reason": "without_name"},
            {"position": 5, "reason": "cut_off"},
        ],
    }  # fmt: skip
    kept = await listed(http, token)
    assert kept == [
        ("Dad", ["+97231234567"], None),
        ("Noa Cohen", ["+12025550143", "+972542345678"], "climbs"),
    ]
    again = await sent(http, token, file, "?country=IL")
    assert (again.json["added"], again.json["merged"], await listed(http, token)) == (0, 2, kept)


@pytest.mark.parametrize("version", ["", "?version=3.0", "?version=4.0"])
async def test_what_one_person_exports_another_imports_the_same(version: str, http: HttpWorld) -> None:
    ada, eve = await http.person("ada"), await http.person("eve")
    for n in range(7):
        await saved(http, ada, name=f"Noa; {n}, \\ נועה", numbers=[f"+1202555010{n}", f"*27{n}"], note="a\nb")
    file = await http.call("GET", f"/v1/contacts/export{version}", token=ada)
    assert file.headers["Content-Disposition"] == 'attachment; filename="contacts.vcf"'
    report = (await sent(http, eve, file.body)).json
    assert (report["added"], report["dropped"], report["skips"]) == (7, 0, [])
    assert sorted(await listed(http, eve)) == sorted(await listed(http, ada))
    assert (await http.call("GET", "/v1/contacts/export?version=2.1", token=ada)).flaws == {
        ("/version", "malformed")
    }


async def test_a_file_that_is_no_address_book_is_refused(http: HttpWorld) -> None:
    token = await http.person()
    for file in (b"", b"%PDF-1.7 \xff\xfe", b"\0" * 100_000):
        answer = await sent(http, token, file)
        assert (answer.status, answer.code) == (422, "no_cards")
    for kind in ("application/json", "image/png", "text/plain", "", "text/vcard, text/vcard"):
        answer = await sent(http, token, card("N", "1"), **{"Content-Type": kind})
        assert (answer.status, answer.code) == (415, "unsupported_media_type")
    packed = await sent(http, token, card("N", "1"), **{"Content-Encoding": "gzip"})
    assert packed.code == "unsupported_media_type"
    assert (await sent(http, token, card("N", "1"), "?country=il")).flaws == {("/country", "malformed")}
    assert (await http.call("POST", "/v1/contacts/import", raw=card("N", "1"))).status == 401
    assert await listed(http, token) == []


async def test_a_file_has_an_end(http: HttpWorld) -> None:
    token = await http.person()
    large = io.BytesIO(card("N", "1") * 25 + b"X" * (17 << 20))
    said = await sent(http, token, large)
    assert (said.status, said.code) == (413, "file_too_large")
    assert await listed(http, token) == [], "it said so beforehand"
    lines = await sent(http, token, card("N", "1") * 25 + b"\n" * 500_000)
    assert (lines.status, lines.code) == (413, "too_many_lines")
    assert len(await listed(http, token)) == 1, "what came before is saved"


async def test_a_conversation_shows_the_name_of_its_contact(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    await http.call(
        "POST", f"/v1/lines/{line}/messages", {"to": STRANGER, "body": "hi"}, token=token, headers=http.key()
    )
    shown = (await http.call("GET", "/v1/conversations", token=token)).json["items"][0]
    assert shown["name"] is None
    noa = await saved(http, token, name="Noa", numbers=["+1 (310) 555-0178"])
    for path in ("/v1/conversations", f"/v1/conversations/{shown['id']}"):
        answer = (await http.call("GET", path, token=token)).json
        assert answer.get("items", [answer])[0] == shown | {"name": "Noa"}
    await http.call("PATCH", f"/v1/contacts/{noa['id']}", {"numbers": ["*1"]}, token=token)
    assert (await http.call("GET", "/v1/conversations", token=token)).json["items"] == [shown]
