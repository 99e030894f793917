"""Connections that come at once are taken at once: none waits for as many turns of a busy loop as came before it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack

import pytest
import uvloop

from adapters.inbound.http.listening import listen

COMING, TURNS = 32, 8
LOOPBACK = "127.0.0.1"


async def turns_until_taken() -> int:
    """Have connections come while the loop does nothing; return in how many of its turns all are taken."""
    taken = list[asyncio.BaseTransport]()

    class Counting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken.append(transport)

    port, listening = await listen(Counting, LOOPBACK, 0)
    turns = 0
    with ExitStack() as stack:
        for _ in range(COMING):
            stack.enter_context(socket.create_connection((LOOPBACK, port)))
        while len(taken) < COMING:
            turns += 1
            await asyncio.sleep(0)
        for transport in taken:
            transport.close()
        for each in listening:
            each.close()
    return turns


@pytest.mark.parametrize("run", [uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])
def test_connections_that_come_at_once_are_taken_in_few_turns_of_the_loop(run: object) -> None:
    assert run(turns_until_taken()) <= TURNS  # type: ignore[operator]


@pytest.mark.parametrize("run", [uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])
def test_nobody_listens_any_more_once_all_are_closed(run: object) -> None:
    async def closed() -> int:
        port, listening = await listen(asyncio.Protocol, LOOPBACK, 0)
        for each in listening:
            each.close()
        await asyncio.sleep(0)
        with socket.socket() as stranger:
            return stranger.connect_ex((LOOPBACK, port))

    assert run(closed()) != 0  # type: ignore[operator]
