"""What a client is told when it asked too often: when to come back, and nothing about anybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.support.http_world import PASSWORD, Answer, HttpWorld

WRONG = "wrong horse battery staple"


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


async def sign_in(http: HttpWorld, name: str = "ada", password: str = WRONG, **more: str) -> Answer:
    body = {"email": f"{name}@example.org", "password": password} | more
    return await http.call("POST", "/v1/sessions", body)


async def test_after_six_guesses_the_answer_says_when_the_next_will_be_checked(http: HttpWorld) -> None:
    await http.person()
    assert [(await sign_in(http)).status for _ in range(6)] == [401] * 6
    http.world.clock.advance(timedelta(minutes=4, seconds=30))
    refused = await sign_in(http)
    assert (refused.status, refused.code) == (429, "too_many_guesses")
    assert refused.headers["Retry-After"] == "630"
    assert refused.headers["RateLimit-Policy"] == '"guesses";q=10;w=3600'
    assert refused.headers["RateLimit"] == '"guesses";r=0;t=630'
    http.world.clock.advance(timedelta(seconds=630))
    assert (await sign_in(http, password=PASSWORD)).status == 201


async def test_a_pause_does_not_tell_whether_an_address_is_known(http: HttpWorld) -> None:
    await http.person()
    seen = []
    for name in ("ada", "nobody"):
        answers = [await sign_in(http, name) for _ in range(8)]
        for answer in answers:
            request_id = answer.headers.pop("Request-Id")
            answer.headers.pop("Date")
            assert request_id.encode() in answer.body
        seen.append(
            [(answer.status, answer.headers, {**answer.json, "request_id": ""}) for answer in answers]
        )
    assert seen[0] == seen[1]
    assert [status for status, _, _ in seen[0]] == [401] * 6 + [429] * 2


async def test_a_device_that_was_signed_in_sends_its_former_token_and_need_not_wait(http: HttpWorld) -> None:
    token = await http.person()
    for _ in range(7):
        await sign_in(http)
    assert (await sign_in(http, password=PASSWORD)).status == 429
    assert (await sign_in(http, password=PASSWORD, former_token=token)).status == 201
    assert (await sign_in(http, password=PASSWORD, former_token="é")).flaws == {
        ("/former_token", "malformed")
    }


async def test_one_caller_behind_our_proxy_leaves_guesses_to_others(http: HttpWorld) -> None:
    await http.person()
    body = {"email": "ada@example.org", "password": WRONG}

    async def asked(forwarded: str, password: str = WRONG) -> int:
        headers = {"X-Forwarded-For": forwarded}
        return (
            await http.call("POST", "/v1/sessions", body | {"password": password}, headers=headers)
        ).status

    # What a client writes into the header itself stands before what our proxy adds, and changes nothing.
    answers = [await asked(f"198.51.100.{number}, 203.0.113.7") for number in range(9)]
    assert answers == [401] * 3 + [429] * 6
    assert await asked("203.0.113.8", PASSWORD) == 201
