"""What the API and the webhooks share: reading a body within bounds, refusing, and how an endpoint looks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, ClassVar, NoReturn, Protocol, TypeAlias

from aiohttp import HttpVersion11, web

COMMON_HEADERS = {"Server": "Pico", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""Headers of every answer."""

BODY_SECONDS = 30.0
SAID_AT: ContextVar[datetime | None] = ContextVar("said_at", default=None)
"""When what a webhook tells of happened, by the provider's clock, where it says so. Set by whoever verified it."""

WebhookEndpoint: TypeAlias = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]
"""Answers one POST of a provider, given its raw query. May raise Refused and PicoError: the app answers for it."""


class Webhooks(Protocol):
    """One provider's webhooks. Each verifies what comes in with credentials of its own before looking at it."""

    def endpoints(self) -> Mapping[str, WebhookEndpoint]:
        """Return the endpoints by path."""
        ...


class Refused(Exception):
    """The edge itself says no, before any use case. The docstring's first line is the problem's title."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        """Keep the headers that belong to the answer."""
        super().__init__()
        self.headers = headers or {}


class BadRequest(Refused):
    """The request is not well-formed HTTP."""


class ExpectationFailed(Refused):
    """The only expectation that is met is 100-continue."""

    status = 417
    code = "expectation_failed"


class TooSlow(Refused):
    """The body did not arrive in time."""

    status = 408
    code = "body_timeout"


class TooLarge(Refused):
    """A body has at most 64 KiB."""

    status = 413
    code = "body_too_large"


def strict_json(raw: bytes) -> Any:  # noqa: ANN401 - whatever JSON says
    """Return what a body says in JSON (RFC 8259): `NaN` and the like are none. Raises ValueError, RecursionError."""
    return json.loads(raw.decode(), parse_constant=_no_number)


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


AHEAD = web.RequestKey("body", object)
"""Under this key a request keeps its body, or why there is none, once it was read ahead."""


async def read_ahead(request: web.BaseRequest) -> None:
    """Read the body for `read_body`, which then answers, or raises, at once. Raises nothing."""
    try:
        request[AHEAD] = await read_body(request)
    except Refused as no:
        request[AHEAD] = no


async def read_body(request: web.BaseRequest, within: float = BODY_SECONDS) -> bytes:
    """Read the whole body.

    Raises ExpectationFailed, TooLarge, TooSlow after `within` seconds, BadRequest when it breaks off.

    The time limit also ends the wait for a chunk that aiohttp could not parse: it never tells the reader.
    """
    ahead: bytes | Refused | None = request.get(AHEAD)
    if isinstance(ahead, Refused):
        raise ahead
    if ahead is not None:
        return ahead
    if "Expect" in request.headers:
        await meet_expectation(request)
    try:
        if request.content.is_eof():  # Nearly always: it came with the headers, and needs no timer.
            return await request.read()
        async with asyncio.timeout(within):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise TooLarge from None
    except TimeoutError:
        raise TooSlow from None
    except (web.RequestPayloadError, ConnectionError):
        raise BadRequest from None


async def meet_expectation(request: web.BaseRequest) -> None:
    """Ask for the body if the client waits to be asked (RFC 9110, 10.1.1). Raises ExpectationFailed."""
    if request.version < HttpVersion11:
        return  # It knows no interim answers.
    if request.headers["Expect"].lower() != "100-continue":
        raise ExpectationFailed
    if not request.content.is_eof():
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # The answer itself has not begun.
