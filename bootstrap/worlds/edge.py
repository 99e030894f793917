"""The API over the use cases of a world, served on loopback, and a client of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web

from adapters.inbound.http.app import build
from adapters.inbound.http.server import serving
from application.use_cases import UseCases

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class HttpClient:
    """Somebody who talks to the API at `url`. `headers` go with every request."""

    session: ClientSession = field(repr=False)
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    async def ask(
        self, method: str, path: str, body: object = None, *, token: str = "", key: str = "", **headers: str
    ) -> Answer:
        """Send a request, `body` as JSON, with a session's token and an idempotency key where they are given."""
        sent = {**self.headers, **headers}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if key:
            sent["Idempotency-Key"] = key
        async with self.session.request(method, self.url + path, json=body, headers=sent) as answer:
            return Answer(answer.status, dict(answer.headers), await answer.read())


@asynccontextmanager
async def calling(handler: Handler, **headers: str) -> AsyncIterator[HttpClient]:
    """Serve what answers requests, and give a client of it."""
    async with serving(handler, LOOPBACK, 0) as port, ClientSession() as session:
        yield HttpClient(session, f"http://{LOOPBACK}:{port}", headers)


@asynccontextmanager
async def client_of(use_cases: UseCases) -> AsyncIterator[HttpClient]:
    """Serve the API over these use cases, ready at all times, and give a client of it."""
    async with calling(build(use_cases, ready=always)) as client:
        yield client


async def always() -> None:
    """Be ready."""
