"""Somebody's server that is called by webhooks: it checks signatures in its own words, and can misbehave."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Verify as the specification of Standard Webhooks tells a receiver to: written from it, not from our signer."""
    key = base64.b64decode(secret.split("_", 1)[1])
    message = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
    given = [each.split(",", 1) for each in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(said, expected) for version, said in given)


async def well(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=204)


@dataclass
class Receiver:
    """Notes what it is told, and answers with `answer`."""

    answer: Answer = well
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        said = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append((said, await request.read()))
        return await self.answer(request)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listen on loopback; give the address."""
        runner = web.ServerRunner(web.Server(self), shutdown_timeout=0.01)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.port = site.port
            yield f"http://127.0.0.1:{self.port}/hook"
        finally:
            await runner.cleanup()


def answers(status: int, **headers: str) -> Answer:
    """Answer with a status."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, headers=headers, body=b"canary-in-the-answer")

    return answer


async def hangs(_: web.BaseRequest) -> web.StreamResponse:
    await asyncio.sleep(60)
    raise AssertionError


async def hangs_up(request: web.BaseRequest) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def never_ends(request: web.BaseRequest) -> web.StreamResponse:
    """Say yes, and then go on without end."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65536)
