"""What the rehearsal's balancer counts as a failure, and whom it asks again: else its verdict would mean nothing."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector, web

from benchmarks.passing_on import answering
from tests.rehearse.front import Front, address
from tests.rehearse.rehearsal import Killed, failures
from tests.support.tls_postgres import certified


@dataclass
class Two:
    """Two servers behind a balancer; the second can be taken away."""

    front: Front
    session: ClientSession
    second: AsyncExitStack
    ready: bool = True
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Be a server: break the connection, or fail, where the path says so."""
        if request.path == "/readyz":
            return web.Response(status=200 if self.ready else 503)
        self.asked.append(request.path)
        if request.path == "/breaks":
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=500 if request.path == "/fails" else 200)

    async def post(self, path: str) -> int:
        async with self.session.post(path) as answer:
            return answer.status


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        context, file = certified(["localhost"], folder)
        front, second = Front(), AsyncExitStack()
        url = await stack.enter_async_context(front.running(context))
        trusting = TCPConnector(ssl=ssl.create_default_context(cafile=str(file)))
        session = await stack.enter_async_context(ClientSession(url, connector=trusting))
        two = Two(front, session, second)
        stack.push_async_callback(second.aclose)
        for name, where in (("one", stack), ("other", second)):
            port = await where.enter_async_context(answering(two.answer))
            await front.ready(front.add(name, address(port)))
        yield two


async def test_a_server_that_lets_nobody_in_is_passed_over(two: Two) -> None:
    await two.second.aclose()
    assert [await two.post("/fine") for _ in range(4)] == [200] * 4
    assert two.asked == ["/fine"] * 4
    assert failures(two.front, Killed()) == []


async def test_what_was_sent_once_is_not_sent_again(two: Two) -> None:
    assert await two.post("/breaks") == 502
    assert two.asked == ["/breaks"]
    [failed] = failures(two.front, Killed())
    broken = next(each.name for each in two.front.backends if each.broken)
    assert failed.startswith(f"{broken} failed at 1 requests")
    assert failures(two.front, Killed({broken})) == [], (
        "its own connections are not held against a killed one"
    )


async def test_an_answer_of_5xx_is_a_failure_whoever_was_killed(two: Two) -> None:
    assert await two.post("/fails") == 500
    assert len(failures(two.front, Killed({"one", "other"}))) == 1


async def test_nobody_is_asked_who_is_not_ready(two: Two) -> None:
    two.ready = False
    async with asyncio.timeout(20):
        while any(each.ready for each in two.front.backends):  # noqa: ASYNC110 - the front asks, nobody tells
            await asyncio.sleep(0.05)
    assert await two.post("/fine") == 503
    assert two.asked == []
    assert failures(two.front, Killed()) == ["for 1 requests nobody was ready"]
