"""Connections to PostgreSQL: a few, one statement at a time, and errors that quote nothing."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from application.ports.store import JobGone, StoreFull, StoreUnavailable, VersionConflict
from domain.kernel import AccountId

CONNECT_SECONDS = 5.0
STATEMENT_SECONDS = 10.0
"""How long a statement, and before it a free connection, is waited for."""
DROP_SECONDS = 2.0
"""How long the server has for ending what a dropped connection was busy with."""

VERSION_CONFLICT, JOB_GONE, NOT_LEFT = "PC001", "PC002", "PC003"
"""The SQLSTATEs by which a flush is refused. PostgreSQL leaves classes that begin with I to Z to applications."""

_SERVER_SETTINGS = {
    "application_name": "pico",
    "timezone": "UTC",
    "statement_timeout": "8s",
    "lock_timeout": "4s",
    "idle_in_transaction_session_timeout": "10s",
    "jit": "off",  # every statement here is short
}


class NothingLeft(Exception):
    """A commit was to take more of a limit than is left; nothing of it was kept."""


_REFUSALS: dict[str, type[Exception]] = {
    VERSION_CONFLICT: VersionConflict,
    JOB_GONE: JobGone,
    NOT_LEFT: NothingLeft,
    asyncpg.DiskFullError.sqlstate: StoreFull,
}
_LOST_RACES = (
    asyncpg.UniqueViolationError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
)
_NO_ANSWER = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, timed out
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # a lock not had in time, a database closed to connections
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.PostgresSystemError,  # its disk fails
    asyncpg.InternalClientError,  # the driver lost the thread: what came is no answer
    RuntimeError,  # uvloop's, about a transport that was closed meanwhile
    OSError,
    TimeoutError,
)


class StatementRefused(Exception):
    """PostgreSQL refused a statement that it should not: a defect of ours. Only its SQLSTATE is told, never a value."""


class Reads(Protocol):
    """What reading takes: statements that are answered with rows."""

    async def fetch(self, statement: str, *values: object) -> list[Any]:
        """Run one statement and return its rows."""
        ...

    async def first(self, statement: str, *values: object) -> Any:  # noqa: ANN401 - a row, or None
        """Run one statement and return its first row, or None."""
        ...


class Database(Reads):
    """A few connections, and how a commit wakes the queue of its process.

    Every statement is a transaction of its own, so a connection has no state to reset between two of them. asyncpg's
    own pool must allow for that: 283 microseconds a statement, 166 with the reset taken out, 127 here (docs/adr/0012).

    Errors are those of the store's port (VersionConflict, JobGone, StoreUnavailable, StoreFull) or StatementRefused,
    made afresh: the original, which may quote values, is not even their context. A connection whose statement ended
    with anything but rows or a database error, cancellation included, is dropped: nobody knows what state it is in.
    Its place is free again once the server has ended the statement, so that connections stay few.
    """

    def __init__(self, dsn: str, most: int) -> None:
        self.wakers: set[Callable[[], None]] = set()
        """Called when a job was committed that is due at once."""
        self.listeners: set[Callable[[AccountId], None]] = set()
        """Called when live events of an account were committed."""
        self.ended = set[UUID]()
        """Jobs that a commit of this process has ended, until the queue hears that their handlers have, too."""
        self.dsn = dsn
        self.beside: list[Callable[[], Awaitable[None]]] = []
        """Called at the end: they close what is connected beside the pool."""
        self.most, self.busy, self.waiting = most, 0, 0
        """Connections at most; how many are at work; how many calls wait for one."""
        self._turns = deque[asyncio.Future[None]]()
        self._idle: list[asyncpg.Connection] = []
        self._dropped: set[asyncio.Task[None]] = set()
        self._closing = False

    async def fetch(self, statement: str, *values: object) -> list[Any]:
        """Run one statement and return its rows."""
        return await self._run(asyncpg.Connection.fetch, statement, values)  # type: ignore[no-any-return]  # asyncpg has no types

    async def first(self, statement: str, *values: object) -> Any:  # noqa: ANN401 - a row, or None
        """Run one statement and return its first row, or None."""
        rows = await self.fetch(statement, *values)
        return rows[0] if rows else None

    async def execute(self, statement: str, *values: object) -> int:
        """Run one statement and return how many rows it touched."""
        done: str = await self._run(asyncpg.Connection.execute, statement, values)
        return int(done.rpartition(" ")[2])

    def wake(self) -> None:
        """Tell the queue of this process that there is something to do."""
        for waker in self.wakers:
            waker()

    def tell(self, account_id: AccountId) -> None:
        """Tell who follows accounts in this process that something happened in one."""
        for listener in self.listeners:
            listener(account_id)

    async def open(self, least: int) -> None:
        """Connect that often beforehand. Raises StoreUnavailable."""
        await asyncio.gather(*(self.fetch("SELECT") for _ in range(least)))

    async def close(self) -> None:
        """Close what is idle now, and refuse whatever comes later."""
        self._closing = True
        while self._idle:
            await closed(self._idle.pop(), CONNECT_SECONDS)
        if self._dropped:
            await asyncio.wait(self._dropped)
        for close in self.beside:
            await close()

    async def _run(
        self, how: Callable[..., Awaitable[Any]], statement: str, values: tuple[object, ...]
    ) -> Any:  # noqa: ANN401 - rows, or a command's tag
        # Written for the usual case, a free place and an idle connection: each call more costs every statement.
        if self.busy < self.most and not self._turns:
            self.busy += 1
        else:
            await self._turn()
        connection, sound = None, False
        try:
            connection = self._idle.pop() if self._idle else None  # the one used last: its caches are warm
            if connection is None or connection.is_closed():
                connection = await self._connection()
            answer = await how(connection, statement, *values)
        except asyncpg.PostgresError as error:
            problem, sound = translated(error), True
        except Exception as error:  # noqa: BLE001 - whatever it is, it is translated
            problem = translated(error)
        else:
            sound = True
            return answer
        finally:
            self._leave(connection, sound=sound)
        raise problem  # outside of the block above, so that the original is left behind

    def _leave(self, connection: asyncpg.Connection | None, *, sound: bool) -> None:
        """Keep a sound connection for the next statement, and drop any other."""
        if connection is not None and not connection.is_closed():
            if self._closing:
                connection.terminate()
            elif sound:
                self._idle.append(connection)
            else:
                dropping = asyncio.create_task(closed(connection, DROP_SECONDS))
                self._dropped.add(dropping)
                dropping.add_done_callback(self._end)
                return
        self._release()

    def _end(self, dropping: asyncio.Task[None]) -> None:
        self._dropped.discard(dropping)
        self._release()

    def _release(self) -> None:
        """Pass a place on to whoever has waited longest, or have it free."""
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.busy -= 1

    async def _turn(self) -> None:
        """Wait for a place. Raises StoreUnavailable when there is none in time."""
        turn = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        self.waiting += 1
        try:
            async with asyncio.timeout(STATEMENT_SECONDS):
                try:
                    await turn
                except asyncio.CancelledError:
                    if turn.done() and not turn.cancelled():
                        self._release()  # the place came in the very moment in which nobody wanted it any more
                    raise
                return
        except TimeoutError:
            pass
        finally:
            self.waiting -= 1
        raise StoreUnavailable

    async def _connection(self) -> asyncpg.Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        if self._closing:
            raise StoreUnavailable
        return await connected(self.dsn)


async def connected(dsn: str, **settings: str) -> asyncpg.Connection:
    """Connect, with what the server is told to hold us to; `settings` replace some of it. Raises asyncpg's errors."""
    return await asyncpg.connect(
        dsn, timeout=CONNECT_SECONDS, command_timeout=STATEMENT_SECONDS, server_settings=_SERVER_SETTINGS | settings,
        statement_cache_size=300, max_cached_statement_lifetime=0, max_cacheable_statement_size=0,
    )  # fmt: skip


async def closed(connection: asyncpg.Connection, seconds: float) -> None:
    """Have the server end what a connection is busy with, and close it; after `seconds`, without being polite."""
    with suppress(Exception):
        await connection.close(timeout=seconds)


@asynccontextmanager
async def connect(dsn: str, *, least: int = 8, most: int = 12) -> AsyncIterator[Database]:
    """Use a migrated database, and close its connections at the end. Raises StoreUnavailable.

    8 to 12 connections were best on two cores; 32 were slower.
    """
    database = Database(dsn, most)
    try:
        await database.open(least)
        yield database
    finally:
        await database.close()


def translated(error: Exception) -> Exception:
    """Return what a caller may know of an error of asyncpg's."""
    match error:
        case asyncpg.PostgresError(sqlstate=state) if state in _REFUSALS:
            return _REFUSALS[state]()
        case asyncpg.PostgresError() if isinstance(error, _LOST_RACES):
            return VersionConflict()
        case StoreUnavailable():
            return error
        case _ if isinstance(error, _NO_ANSWER):
            return StoreUnavailable()
        # It was closed meanwhile. One that is a ValueError, too, is about a wrong argument.
        case asyncpg.InterfaceError() if not isinstance(error, ValueError):
            return StoreUnavailable()
        case _:
            return StatementRefused(getattr(error, "sqlstate", None) or type(error).__name__)
