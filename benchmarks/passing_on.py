"""Standing before a server: requests are passed on, and whoever stands there hears what was asked and answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext

from aiohttp import ClientSession, DummyCookieJar, web

OF_A_CONNECTION = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
"""Headers that are not passed on: each connection has its own."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that was passed on, and its answer."""

    method: str
    path: str
    body: bytes
    status: int
    answer: bytes


Heard = Callable[[Exchange], None]


def passing_on() -> ClientSession:
    """Return what requests are passed on over, as they are."""
    return ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False)


async def passed_on(session: ClientSession, request: web.Request, url: str) -> tuple[Exchange, web.Response]:
    """Pass a request on to the server at `url`. Raises ClientError, TimeoutError."""
    body, path = await request.read(), request.path_qs
    headers = [each for each in request.headers.items() if each[0].lower() not in OF_A_CONNECTION]
    async with session.request(
        request.method, url + path, data=body, headers=headers, allow_redirects=False
    ) as answer:
        content = await answer.read()
    kept = [each for each in answer.headers.items() if each[0].lower() not in OF_A_CONNECTION]
    exchange = Exchange(request.method, path, body, answer.status, content)
    response = web.Response(status=answer.status, body=content)
    response.headers.popall("Content-Type", None)
    response.headers.extend(kept)
    return exchange, response


@asynccontextmanager
async def answering(handler: object, context: SSLContext | None = None) -> AsyncIterator[int]:
    """Have a handler answer every request on loopback, over TLS where there is a context; yield the port."""
    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/{path:.*}", handler)  # type: ignore[arg-type]  # aiohttp's own type is looser
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def before(url: str, heard: Heard) -> AsyncIterator[str]:
    """Stand before the server at `url`, and yield the address to be asked instead."""
    async with passing_on() as session:

        async def handle(request: web.Request) -> web.Response:
            exchange, response = await passed_on(session, request, url)
            heard(exchange)
            return response

        async with answering(handle) as port:
            yield f"http://127.0.0.1:{port}"
