"""A name for each request: random, without meaning, and the only link between an answer and our logs."""

from __future__ import annotations

import secrets
from contextvars import ContextVar

import structlog
from aiohttp import web
from typing_extensions import override

from adapters.inbound.http_io import SAID_AT

REQUEST_ID = "Request-Id"
IN_LOGS = "request_id"
ROUTE: ContextVar[str] = ContextVar("route", default="")
"""The template of the route that is being answered, such as `/v1/lines/{line_id}`; empty where none was found."""
EXTRA_HEADERS: web.RequestKey[dict[str, str]] = web.RequestKey("extra_headers", dict)
"""Under this key a request holds what else its answer bears, however that is made."""


class NamedRequest(web.BaseRequest):
    """A request whose every answer bears its name, also one that is streamed or that aiohttp asked us for."""

    @override
    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        response.headers[REQUEST_ID] = request_id()
        response.headers.update(self.get(EXTRA_HEADERS, {}))


def name_request() -> None:
    """Give the request that has just come in its name. Each connection has a context of its own."""
    structlog.contextvars.bind_contextvars(**{IN_LOGS: secrets.token_hex(16)})
    ROUTE.set("")
    SAID_AT.set(None)


def request_id() -> str:
    """Return the name of the request that is being answered."""
    return str(structlog.contextvars.get_contextvars().get(IN_LOGS, ""))
