"""What stands before the servers, as a load balancer does: it ends TLS, asks `/readyz`, and takes turns.

A request goes to another server only where the first one let nobody in, so nothing was sent. What breaks after that is
answered with 502 and counted, as is every answer of 5xx, by the server that it came from.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext
from time import monotonic

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, web

from benchmarks.passing_on import answering, passed_on, passing_on
from bootstrap.process import LOOPBACK

LOOK_EVERY = 0.5
"""Seconds between two questions whether a server is ready."""
PATIENCE = 300
"""Seconds within which a server must be ready."""
OURS = "/sandbox/"
"""Where requests lead to the rehearsal itself: Production has no such routes."""


@dataclass(eq=False)
class Backend:
    """A server, and what came of the requests that were sent there."""

    name: str
    url: str
    ready: bool = False
    answers: Counter[int] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    """The paths of requests whose connection was lost before the answer."""
    refused: int = 0
    slowest: tuple[float, str] = (0.0, "")
    """The seconds that one answer took, and what was asked for."""

    @property
    def failures(self) -> int:
        """How many requests it was given and did not answer as it should."""
        return len(self.broken) + sum(times for status, times in self.answers.items() if status >= 500)


@dataclass
class Front:
    """The balancer. `hands` is where requests below `/sandbox/` go, once there is somebody."""

    backends: list[Backend] = field(default_factory=list)
    hands: str = ""
    nobody: int = 0
    """Requests for which no server was ready."""
    _turn: int = 0

    def add(self, name: str, url: str) -> Backend:
        """Send requests to one more server, from when it says that it is ready."""
        backend = Backend(name, url)
        self.backends.append(backend)
        return backend

    async def ready(self, backend: Backend) -> None:
        """Wait until a server takes requests. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while not backend.ready:  # noqa: ASYNC110 - the front asks, nobody tells
                await asyncio.sleep(0.05)

    @property
    def asked(self) -> int:
        """How many requests were passed on."""
        return sum(backend.answers.total() + len(backend.broken) for backend in self.backends) + self.nobody

    @property
    def lost_calls(self) -> int:
        """How many times a carrier asked what is to be done with a call, and a server died before it had answered."""
        broken = [path for backend in self.backends for path in backend.broken]
        return sum("/voice" in path or path.endswith("/telnyx") for path in broken)

    @asynccontextmanager
    async def running(self, context: SSLContext) -> AsyncIterator[str]:
        """Listen, and yield the address."""
        async with passing_on() as session, answering(self._handler(session), context) as port:
            looking = asyncio.create_task(self._keep_looking(session))
            try:
                yield f"https://localhost:{port}"
            finally:
                looking.cancel()

    def _handler(self, session: ClientSession) -> object:
        async def handle(request: web.Request) -> web.Response:
            if self.hands and request.path.startswith(OURS):
                return (await passed_on(session, request, self.hands))[1]
            return await self._balanced(session, request)

        return handle

    async def _balanced(self, session: ClientSession, request: web.Request) -> web.Response:
        self._turn += 1
        turns = self._turn, *range(self._turn + 1, self._turn + len(self.backends))
        for turn in turns:
            backend = self.backends[turn % len(self.backends)]
            if not backend.ready:
                continue
            began = monotonic()
            try:
                exchange, response = await passed_on(session, request, backend.url)
            except ClientConnectorError:
                backend.ready = False
                backend.refused += 1
            except (ClientError, TimeoutError):
                backend.broken.append(request.path)
                return web.Response(status=502)
            else:
                backend.answers[exchange.status] += 1
                took = monotonic() - began, f"{request.method} {request.path}"
                backend.slowest = max(backend.slowest, took)
                return response
        self.nobody += 1
        return web.Response(status=503)

    async def _keep_looking(self, session: ClientSession) -> None:
        while True:
            await asyncio.gather(*(self._look(session, backend) for backend in self.backends))
            await asyncio.sleep(LOOK_EVERY)

    async def _look(self, session: ClientSession, backend: Backend) -> None:
        try:
            async with session.get(f"{backend.url}/readyz", timeout=ClientTimeout(total=10)) as answer:
                backend.ready = answer.status == 200
        except (ClientError, TimeoutError):
            backend.ready = False


def address(port: int) -> str:
    """Return where a server of ours listens."""
    return f"http://{LOOPBACK}:{port}"
