"""Lists come in pages that follow each other, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.support.http_world import OURS, PASSWORD, STRANGER, HttpWorld


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running(sandbox=True) as world:
        yield world


async def text_from_stranger(http: HttpWorld, body: str, to: str = OURS) -> None:
    assert (await http.call("POST", "/sandbox/sms", {"from": STRANGER, "to": to, "body": body})).status == 202


async def test_pages_follow_each_other_without_gap_or_repetition(http: HttpWorld) -> None:
    token = await http.person()
    await http.line(token)
    for number in range(7):
        await text_from_stranger(http, f"text {number}")
        http.world.clock.advance(timedelta(microseconds=1))
    chats = (await http.call("GET", "/v1/conversations", token=token)).json["items"]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        path = f"/v1/conversations/{chats[0]['id']}/messages?limit=3{cursor and '&cursor=' + cursor}"
        page = (await http.call("GET", path, token=token)).json
        assert len(page["items"]) <= 3
        seen += [message["body"] for message in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [f"text {number}" for number in reversed(range(7))]


async def test_conversations_page_by_time_and_id(http: HttpWorld) -> None:
    token = await http.person()
    await http.line(token)
    peers = [f"+1310555{number:04}" for number in range(5)]
    for peer in peers:
        await http.call("POST", "/sandbox/sms", {"from": peer, "to": OURS, "body": "x"})
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (
            await http.call("GET", f"/v1/conversations?limit=2{cursor and '&cursor=' + cursor}", token=token)
        ).json
        seen += [one["peer"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(seen) == peers


async def test_every_list_comes_in_pages(http: HttpWorld) -> None:
    token = await http.person()
    lines = [await http.line(token, f"+1202555014{last}") for last in range(3)]
    assert (await http.call("DELETE", f"/v1/lines/{lines[1]}", token=token)).status == 202
    for _ in range(2):
        await http.call("POST", "/v1/sessions", {"email": "ada@example.org", "password": PASSWORD})
    for path, expected in (("/v1/lines", lines[::-1]), ("/v1/sessions", None)):
        found: list[str] = []
        cursor = ""
        while True:
            page = (await http.call("GET", f"{path}?limit=1{cursor}", token=token)).json
            found += [one["id"] for one in page["items"]]
            assert len(page["items"]) == 1
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert len(found) == 3
        assert found == sorted(found, reverse=True)
        assert expected is None or found == expected
    offers = await http.call("GET", "/v1/available-numbers?country=US&limit=1", token=token)
    assert len(offers.json["items"]) == 1
    active = (await http.call("GET", "/v1/lines?state=active", token=token)).json["items"]
    assert [one["id"] for one in active] == [lines[2], lines[0]]
    assert (await http.call("GET", "/v1/lines?state=lively", token=token)).flaws == {("/state", "malformed")}
