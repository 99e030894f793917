"""One moment of the database, read at leisure, on a connection of its own: those for short statements stay free.

REPEATABLE READ gives every statement of a transaction what was committed when its first one began. While it is open,
PostgreSQL can vacuum nothing that was deleted since, hence the bounds: a few at a time, and each only for so long,
which the server sees to when this process hangs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from adapters.outbound.postgres.pool import STATEMENT_SECONDS, closed, connected, translated
from application.ports.store import SNAPSHOT_SECONDS, StoreUnavailable

MOST = 2
"""Snapshots that one process has open at a time."""
WAIT_SECONDS = 10.0
"""How long a place is waited for: an export that waits has its job's slot, which others need."""
IDLE_SECONDS = 60.0
"""How long what was read may be worked on before the next statement."""

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class Snapshot:
    """Reads as of one moment. Errors are those of `Database`."""

    def __init__(self, reads: asyncpg.Connection, until: float, monotonic: Callable[[], float]) -> None:
        self._reads, self._until, self._monotonic = reads, until, monotonic

    async def fetch(self, statement: str, *values: object) -> list[Any]:
        """Run one statement and return its rows. Raises StoreUnavailable once the snapshot's time is over."""
        if self._monotonic() > self._until:
            raise StoreUnavailable
        try:
            return await self._reads.fetch(statement, *values)  # type: ignore[no-any-return]  # asyncpg has no types
        except Exception as error:  # noqa: BLE001 - whatever it is, it is translated
            problem = translated(error)
        raise problem  # outside of the block above, so that the original is left behind

    async def first(self, statement: str, *values: object) -> Any:  # noqa: ANN401 - a row, or None
        """Run one statement and return its first row, or None."""
        rows = await self.fetch(statement, *values)
        return rows[0] if rows else None


class Snapshots:
    """Opens snapshots of one database. One connection is kept: its statements are prepared, another's would not be."""

    def __init__(self, dsn: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._dsn = dsn
        self._places = asyncio.Semaphore(MOST)
        self._monotonic = monotonic
        self._kept: asyncpg.Connection | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Snapshot]:
        """Read as of now until the block ends. Raises StoreUnavailable."""
        await self._enter()
        try:
            reads, sound = await self._connected(), False
            try:
                snapshot = Snapshot(reads, self._monotonic() + SNAPSHOT_SECONDS, self._monotonic)
                await snapshot.fetch(_BEGIN)
                await snapshot.fetch("SELECT 1")  # the first statement, not BEGIN, decides which moment it is
                yield snapshot
                await snapshot.fetch("COMMIT")
                sound = True
            finally:
                if sound and self._kept is None:
                    self._kept = reads
                else:
                    await closed(reads, STATEMENT_SECONDS)
        finally:
            self._places.release()

    async def close(self) -> None:
        """Close what is kept."""
        if self._kept is not None:
            kept, self._kept = self._kept, None
            await closed(kept, STATEMENT_SECONDS)

    async def _enter(self) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise StoreUnavailable from None

    async def _connected(self) -> asyncpg.Connection:
        kept, self._kept = self._kept, None
        if kept is not None and not kept.is_closed():
            return kept
        try:
            return await connected(
                self._dsn,
                idle_in_transaction_session_timeout=f"{IDLE_SECONDS * 1000:.0f}ms",
                application_name="pico snapshot",
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is translated
            problem = translated(error)
        raise problem
