"""Which other sites' pages may call the API from a browser (the Fetch standard, CORS): none, unless they are named."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from adapters.inbound.http.request_id import EXTRA_HEADERS
from adapters.inbound.http_io import COMMON_HEADERS

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

METHODS = "GET, HEAD, POST, PATCH, DELETE"
TAKEN = "Authorization, Content-Type, Idempotency-Key, If-Match, Last-Event-ID, Range"
SHOWN = (
    "ETag, Location, Request-Id, Retry-After, Idempotency-Replayed, WWW-Authenticate, "
    "Content-Disposition, Content-Range"
)
REMEMBERED_SECONDS = "600"


@dataclass(frozen=True, slots=True)
class Cors:
    """Answers preflights from named origins itself, and lets their pages see the other answers.

    No cookies: whoever calls shows a bearer token, so no `Access-Control-Allow-Credentials`.
    """

    app: Handler
    origins: frozenset[str]

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        origin = request.headers.get("Origin")
        if origin not in self.origins:
            request[EXTRA_HEADERS] = {"Vary": "Origin"}
            return await self.app(request)
        allowed = {"Vary": "Origin", "Access-Control-Allow-Origin": origin}
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return self._preflight(allowed)
        request[EXTRA_HEADERS] = {**allowed, "Access-Control-Expose-Headers": SHOWN}
        return await self.app(request)

    def _preflight(self, allowed: Mapping[str, str]) -> web.Response:
        answer = {
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": TAKEN,
            "Access-Control-Max-Age": REMEMBERED_SECONDS,
        }
        return web.Response(status=204, headers={**COMMON_HEADERS, **allowed, **answer})


def shared_with(origins: frozenset[str], app: Handler) -> Handler:
    """Let pages of these origins call `app`; without any, it is `app` itself."""
    return Cors(app, origins) if origins else app
