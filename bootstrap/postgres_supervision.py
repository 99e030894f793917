"""A PostgreSQL of ours is started again when it ends by itself; one that does not last ends Pico, and says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from bootstrap.postgres_server import PostgresServer, PostgresUnavailable

log = structlog.get_logger()

LOOK_SECONDS = 0.2
"""How often a server is looked at."""
WAITS = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each start in a row; after the last one it is given up."""
STEADY_SECONDS = 60.0
"""A server that has served for so long begins a new row."""


@asynccontextmanager
async def supervised(*servers: PostgresServer) -> AsyncIterator[None]:
    """Start each server again, at the same address, whenever it ends while the block runs.

    What holds connections to it fails for the while, and goes on by itself. Raises PostgresUnavailable, out of the
    middle of the block, when one does not last.
    """
    inside = asyncio.current_task()
    given_up: list[PostgresUnavailable] = []

    async def watch(server: PostgresServer) -> None:
        try:
            await _keep_running(server)
        except PostgresUnavailable as error:
            given_up.append(error)
            if inside is not None:
                inside.cancel()

    watching = [asyncio.create_task(watch(server)) for server in servers]
    try:
        yield
    except asyncio.CancelledError:
        if not given_up or inside is None:
            raise
        inside.uncancel()
        raise given_up[0] from None
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def _keep_running(server: PostgresServer) -> None:
    """Look after one server until cancelled. Raises PostgresUnavailable."""
    starts, since = 0, time.monotonic()
    while True:
        while not server.ended:  # noqa: ASYNC110 - a process sets no event
            await asyncio.sleep(LOOK_SECONDS)
        if time.monotonic() - since > STEADY_SECONDS:
            starts = 0
        if starts == len(WAITS):
            raise PostgresUnavailable(
                f"PostgreSQL in {server.data_dir} ended {starts + 1} times in a row: see {server.data_dir}.log."
            )
        log.error("database ended", folder=server.data_dir.name, starts_again_in=WAITS[starts])
        await asyncio.sleep(WAITS[starts])
        starts += 1
        await asyncio.to_thread(server.end)  # its other processes may take a while to notice
        server.launch()
        await _serving(server)
        since = time.monotonic()


async def _serving(server: PostgresServer) -> None:
    """Wait until a server serves, or has ended instead."""
    try:
        while not server.serves():  # noqa: ASYNC110 - nor does its file
            await asyncio.sleep(LOOK_SECONDS / 10)
    except PostgresUnavailable:
        await asyncio.to_thread(server.end)
