"""A server of ours that ends by itself, and what becomes of Pico then: under real kills."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from bootstrap import postgres_supervision
from bootstrap.postgres_server import PostgresServer, PostgresUnavailable, start
from bootstrap.postgres_supervision import supervised


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        with start(Path(folder) / "data", settings={"fsync": "off"}) as server:
            yield server


async def ask(server: PostgresServer, statement: str) -> object:
    """Ask until it answers."""
    async with asyncio.timeout(30):
        while True:
            try:
                connection = await asyncpg.connect(server.url("postgres"))
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)
                continue
            try:
                return await connection.fetchval(statement)
            finally:
                await connection.close()


async def test_a_killed_server_is_started_again_at_the_same_address(server: PostgresServer) -> None:
    async with supervised(server):
        await ask(server, "CREATE TABLE kept AS SELECT 1 AS it")
        for _ in range(2):
            killed, address = server.pid, server.url("postgres")
            os.kill(killed, signal.SIGKILL)
            async with asyncio.timeout(30):
                while server.pid == killed:  # noqa: ASYNC110 - a process sets no event
                    await asyncio.sleep(0.05)
            assert await ask(server, "SELECT it FROM kept") == 1
            assert server.url("postgres") == address


async def test_one_that_does_not_last_ends_what_needs_it_with_a_clear_line(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_supervision, "WAITS", (0.0, 0.1, 0.1))
    (server.data_dir / "global" / "pg_control").rename(server.data_dir / "lost")

    async def served() -> None:
        async with asyncio.timeout(60), supervised(server):
            os.kill(server.pid, signal.SIGKILL)
            await asyncio.Event().wait()

    with pytest.raises(PostgresUnavailable, match=r"4 times in a row.*\.log"):
        await served()
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0, "what it raised is all that is left of it"


async def test_one_that_is_stopped_on_purpose_stays_so(server: PostgresServer) -> None:
    async with supervised(server):
        await ask(server, "SELECT 1")
    server.stop()
    await asyncio.sleep(0.5)
    assert server.ended
