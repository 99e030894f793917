"""What a provider is answered whatever happens: its status, a word that says nothing, and who hears of the rest."""

from __future__ import annotations

import pytest
from aiohttp import web

from adapters.error_report import also_telling
from adapters.inbound.http_io import COMMON_HEADERS, BadRequest, TooLarge, TooSlow
from adapters.inbound.webhooks.answers import Malformed, answering, forbidden, noted
from application.ports.keyring import KeyGone
from application.ports.store import StoreUnavailable
from domain.kernel import NotFound

CANARY = "c4n4ry-7f3e"


@pytest.mark.parametrize(
    ("error", "status", "body", "heard"),
    [
        (None, 204, None, False),
        (BadRequest(), 400, b"refused\n", False),
        (TooLarge(), 413, b"refused\n", False),
        (TooSlow(), 408, b"refused\n", False),
        (Malformed(CANARY), 400, b"malformed\n", False),
        (StoreUnavailable(), 503, b"not now\n", False),
        (NotFound(), 503, b"not now\n", False),
        (KeyGone(), 503, b"not now\n", False),
        (ValueError(CANARY), 503, b"not now\n", True),
        (TimeoutError(), 503, b"not now\n", True),
    ],
)
async def test_each_end_has_its_answer_and_says_no_more(
    error: Exception | None, status: int, body: bytes | None, *, heard: bool
) -> None:
    asked: list[tuple[object, ...]] = []
    reported: list[BaseException] = []

    @answering
    async def endpoint(*given: object, **named: object) -> web.StreamResponse:
        asked.append((given, named))
        if error is not None:
            raise error
        return noted()

    assert endpoint.__name__ == "endpoint"
    with also_telling(reported.append):
        answer = await endpoint("request", query="a=b")
    assert asked == [(("request",), {"query": "a=b"})]
    assert isinstance(answer, web.Response)
    assert (answer.status, answer.body) == (status, body)
    words = {} if body is None else {"Content-Type": "text/plain; charset=utf-8"}
    assert dict(answer.headers) == {**COMMON_HEADERS, **words}
    assert reported == ([error] if heard else [])


def test_a_refusal_says_nothing_of_why() -> None:
    answer = forbidden()
    assert (answer.status, answer.body) == (403, b"forbidden\n")
    assert dict(answer.headers) == {**COMMON_HEADERS, "Content-Type": "text/plain; charset=utf-8"}


async def test_what_ends_the_process_is_not_held_up() -> None:
    @answering
    async def endpoint() -> web.StreamResponse:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await endpoint()
