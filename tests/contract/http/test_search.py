"""Searching over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from tests.support.http_world import OURS, STRANGER, HttpWorld

OTHER = "+13105550179"


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running(sandbox=True) as world:
        yield world


async def test_what_was_said_and_who_is_known_is_found_again(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token)
    for sender, body in (
        (STRANGER, "See you at NOON"),
        (OTHER, "noonday"),
        (STRANGER, "at one"),
        (STRANGER, "noon?"),
    ):
        await http.call("POST", "/sandbox/sms", {"from": sender, "to": OURS, "body": body})
        await http.call("POST", "/sandbox/clock", {"advance": "PT1H"})
    known = {"name": "Noon Cohen", "numbers": [OTHER]}
    contact = (await http.call("POST", "/v1/contacts", known, token=token, headers=http.key())).json

    async def found(query: str) -> list[str]:
        return [
            one["body"] for one in (await http.call("GET", f"/v1/search?{query}", token=token)).json["items"]
        ]

    first = (await http.call("GET", "/v1/search?q=noon&limit=2", token=token)).json
    assert [one["body"] for one in first["items"]] == ["noon?", "noonday"]
    assert first["contacts"] == [contact]
    rest = (
        await http.call("GET", f"/v1/search?q=noon&limit=2&cursor={first['next_cursor']}", token=token)
    ).json
    assert ([one["body"] for one in rest["items"]], rest["next_cursor"], rest["contacts"]) == (
        ["See you at NOON"], None, [],
    )  # fmt: skip
    assert await found(f"q=noo&with={quote(OTHER)}") == ["noonday"]
    assert await found(f"q=noo&line_id={line}&with={quote(STRANGER)}") == ["noon?", "See you at NOON"]
    at = quote(first["items"][1]["created_at"])
    assert await found(f"q=noo&after={at}") == ["noon?", "noonday"]
    assert await found(f"q=noo&before={at}") == ["See you at NOON"]
    assert await found(f"q=noo&line_id={contact['id']}") == []
    other = await http.person("eve")
    assert (await http.call("GET", "/v1/search?q=noon", token=other)).json["items"] == []


@pytest.mark.parametrize(
    ("query", "flaw"),
    [
        ("", ("/q", "missing")),
        ("q=", ("/q", "invalid_search")),
        ("q=%F0%9F%91%8B", ("/q", "invalid_search")),
        ("q=" + "a+" * 9, ("/q", "invalid_search")),
        ("q=a&with=%E2%80%AE", ("/with", "invalid_peer")),
        ("q=a&after=2026-01-01T00:00:00", ("/after", "malformed")),
        ("q=a&before=0001-01-01T00:00:00%2B14:00", ("/before", "malformed")),
        ("q=a&cursor=x", ("/cursor", "malformed")),
    ],
)
async def test_what_is_wrong_with_a_search_is_said_by_place(
    query: str, flaw: tuple[str, str], http: HttpWorld
) -> None:
    answer = await http.call("GET", f"/v1/search?{query}", token=await http.person())
    assert (answer.status, answer.flaws) == (422, {flaw})
