"""Connections to PostgreSQL: one pool, one statement at a time, and errors that quote nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from application.ports.store import JobGone, Stale, StoreUnavailable

STATEMENT_SECONDS = 10.0
"""How long a statement, and before it a free connection, is waited for."""

_SERVER_SETTINGS = {
    "application_name": "pico",
    "timezone": "UTC",
    "statement_timeout": "8s",
    "lock_timeout": "4s",
    "idle_in_transaction_session_timeout": "10s",
    "jit": "off",  # every statement here is short
}

_LOST_RACES = (
    asyncpg.DivisionByZeroError,  # a check of the flush (see flush.py)
    asyncpg.UniqueViolationError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
)
_NO_ANSWER = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, timed out
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    OSError,
    TimeoutError,
)


class StatementRefused(Exception):
    """PostgreSQL refused a statement that it should not: a defect of ours. Only its SQLSTATE is told, never a value."""


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that goes back to the pool as it is: no statement of ours changes its session."""

    __slots__ = ()

    def get_reset_query(self) -> str:
        """Return nothing to run: the usual statement would be one more round trip for each of ours."""
        return ""


class Database:
    """A pool of connections, and what the store and the queue of one process share: who they are, and a bell.

    Every statement is a transaction of its own. Its errors are those of the ports (Stale, JobGone, StoreUnavailable)
    or StatementRefused, made afresh: the original, which may quote values, is not even their context.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.worker: UUID = uuid4()
        """The name under which this process takes jobs: a commit may only end a job that is in its own hands."""
        self.bells: set[Callable[[], None]] = set()
        """Rung when a job was committed that may be done at once."""

    async def fetch(self, statement: str, *values: object) -> list[Any]:
        """Run one statement and return its rows."""
        try:
            async with self._pool.acquire(timeout=STATEMENT_SECONDS) as connection:
                return await connection.fetch(statement, *values)  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is translated below
            problem = _translated(error)
        raise problem  # outside of the block above, so that the original is left behind

    async def first(self, statement: str, *values: object) -> Any:  # noqa: ANN401 - a row, or None
        """Run one statement and return its first row, or None."""
        rows = await self.fetch(statement, *values)
        return rows[0] if rows else None

    async def execute(self, statement: str, *values: object) -> int:
        """Run one statement and return how many rows it touched."""
        try:
            async with self._pool.acquire(timeout=STATEMENT_SECONDS) as connection:
                return int((await connection.execute(statement, *values)).rpartition(" ")[2])
        except Exception as error:  # noqa: BLE001 - see fetch
            problem = _translated(error)
        raise problem

    def ring(self) -> None:
        """Tell the queue of this process that there is something to do."""
        for bell in self.bells:
            bell()


@asynccontextmanager
async def connect(dsn: str, *, least: int = 8, most: int = 12) -> AsyncIterator[Database]:
    """Open a pool on a migrated database and close it at the end. Raises StoreUnavailable.

    8 to 12 connections were best on two cores; 32 were slower.
    """
    pool = asyncpg.create_pool(
        dsn, min_size=least, max_size=most, connection_class=_Connection, command_timeout=STATEMENT_SECONDS,
        server_settings=_SERVER_SETTINGS, max_inactive_connection_lifetime=0, max_queries=2**62,
        statement_cache_size=300, max_cached_statement_lifetime=0, max_cacheable_statement_size=0,
    )  # fmt: skip
    try:
        await pool
    except Exception as error:  # noqa: BLE001 - see Database.fetch
        problem: Exception | None = _translated(error)
    else:
        problem = None
    if problem:
        raise problem
    try:
        yield Database(pool)
    finally:
        await pool.close()


def _translated(error: Exception) -> Exception:
    """Return what a caller may know of an error of asyncpg's."""
    match error:
        case asyncpg.InvalidArgumentForLogarithmError():  # the other check of the flush
            return JobGone()
        case asyncpg.PostgresError() if isinstance(error, _LOST_RACES):
            return Stale()
        case _ if isinstance(error, _NO_ANSWER):
            return StoreUnavailable()
        case asyncpg.InterfaceError() if not isinstance(error, ValueError):  # closed meanwhile; ValueError: a wrong argument
            return StoreUnavailable()
        case _:
            return StatementRefused(getattr(error, "sqlstate", None) or type(error).__name__)
