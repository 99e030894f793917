"""The keyring: every account's keys, wrapped, in a database of their own with its own short-lived backups.

A row's encryption context is a random key id, never the account: the key service logs contexts. A wrapped key opens
only while its master key exists, and that is what makes destruction final. PostgreSQL keeps a deleted row in dead
tuples until vacuum, in WAL until it is recycled, and in the keyring's backups until they expire (7 days at most): in
all these places it is still a wrapped key, which anyone who may call the key service can unwrap. Only the end of its
master-key epoch (rotate, then delete the old master key) makes such a stray copy useless for good.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from os import urandom
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

import asyncpg

from application.ports.keyring import AccountKey, KeyGone, KeysUnavailable
from application.ports.kms import Kms, KmsError, WrappedKey
from domain.kernel import AccountId, StorageKind

CACHED_KEYS = 1024
CACHED_SECONDS = 300.0
DATABASE_SECONDS = 5.0
"""How long a connection, and then an answer, is waited for."""

COLUMNS = MappingProxyType({
    "schema_version": {"version": StorageKind.COUNT},
    "account_keys": {
        "account_id": StorageKind.ID, "version": StorageKind.COUNT, "key_id": StorageKind.ID, "master":
        StorageKind.REF, "wrapped": StorageKind.SEALED,
        "created_at": StorageKind.TIME,
    },
    "system_keys": {
        "purpose": StorageKind.ENUM, "version": StorageKind.COUNT, "key_id": StorageKind.ID, "master":
        StorageKind.REF, "wrapped": StorageKind.SEALED,
        "created_at": StorageKind.TIME,
    },
})  # fmt: skip
"""Every table of the keyring's database, with the kind of each column."""

MIGRATIONS = (
    """
    CREATE TABLE account_keys (
        account_id uuid NOT NULL,
        version smallint NOT NULL CHECK (version > 0),
        key_id uuid NOT NULL,
        master text NOT NULL,
        wrapped bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (account_id, version)
    );
    CREATE TABLE system_keys (
        purpose text NOT NULL CHECK (purpose ~ '^[a-z_]{1,32}$'),
        version smallint NOT NULL CHECK (version > 0),
        key_id uuid NOT NULL,
        master text NOT NULL,
        wrapped bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (purpose, version)
    );
    """,
)
"""Applied in order, each once; never edited after a release."""

LOCK = 0x5069_636F_4B65_7973
"""An advisory lock's number ("PicoKeys"), so that of many processes starting at once one prepares the database."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


async def prepare(pool: asyncpg.Pool) -> None:
    """Bring the keyring's own database up to date. Raises KeysUnavailable. Repeating is harmless."""
    async with _connection(pool) as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        await connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version smallint PRIMARY KEY)")
        done = await connection.fetchval("SELECT coalesce(max(version), 0) FROM schema_version")
        for version, statements in enumerate(MIGRATIONS[done:], done + 1):
            await connection.execute(statements)
            await connection.execute("INSERT INTO schema_version VALUES ($1)", version)


class KeyCache(Generic[K, V]):
    """What was unwrapped lately: the least used of more than `limit` goes first, each after `seconds` at the latest.

    Any number of callers wait for one load of the same name. A failed load is forgotten.
    """

    def __init__(self, limit: int, seconds: float, monotonic: Callable[[], float]) -> None:
        self._limit = limit
        self._seconds = seconds
        self._monotonic = monotonic
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._loads: dict[K, asyncio.Task[V]] = {}

    async def get(self, name: K, load: Callable[[K], Awaitable[V]]) -> V:
        """Return the value, loaded if need be; raises what `load` raises."""
        kept = self._kept.get(name)
        if kept is not None:
            if self._monotonic() < kept[0]:
                self._kept.move_to_end(name)
                return kept[1]
            del self._kept[name]
        task = self._loads.get(name)
        if task is None:
            task = self._loads[name] = asyncio.create_task(self._load(name, load))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)  # one impatient caller does not take the load from the others

    def drop(self, name: K) -> None:
        """Forget the value, and keep none that is being loaded now: it may be from before."""
        self._kept.pop(name, None)
        self._loads.pop(name, None)

    async def _load(self, name: K, load: Callable[[K], Awaitable[V]]) -> V:
        expires = self._monotonic() + self._seconds
        try:
            value = await load(name)
            if self._loads.get(name) is asyncio.current_task():
                self._kept[name] = expires, value
                if len(self._kept) > self._limit:
                    self._kept.popitem(last=False)
            return value
        finally:
            if self._loads.get(name) is asyncio.current_task():
                del self._loads[name]


class PostgresKeyring:
    """`Keyring` over a prepared database and a key service, which is never called within a database transaction.

    Destroying a key empties the cache of this process at once; another process may hold the key for up to
    `CACHED_SECONDS` more.
    """

    def __init__(
        self, pool: asyncpg.Pool, kms: Kms, *, limit: int = CACHED_KEYS, seconds: float = CACHED_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._pool = pool
        self._kms = kms
        self._accounts = KeyCache[AccountId, AccountKey](limit, seconds, monotonic)
        self._systems = KeyCache[str, bytes](limit, seconds, monotonic)

    async def create(self, account_id: AccountId) -> None:
        """See `Keyring.create`. Of several at once, the first to be stored stands."""
        key_id, wrapped = await self._fresh()
        async with _connection(self._pool) as connection:
            await connection.execute(
                "INSERT INTO account_keys (account_id, version, key_id, master, wrapped) VALUES ($1, 1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                account_id, key_id, wrapped.key_id, wrapped.blob, timeout=DATABASE_SECONDS,
            )  # fmt: skip

    async def open(self, account_id: AccountId) -> AccountKey:
        """See `Keyring.open`."""
        return await self._accounts.get(account_id, self._open)

    async def destroy(self, account_id: AccountId) -> int:
        """See `Keyring.destroy`, and the head of this module for what is left of the rows."""
        try:
            async with _connection(self._pool) as connection:
                gone = await connection.fetch(
                    "DELETE FROM account_keys WHERE account_id = $1 RETURNING version",
                    account_id, timeout=DATABASE_SECONDS,
                )  # fmt: skip
                return len(gone)
        finally:  # whatever came of it: an unknown outcome may well be a deletion
            self._accounts.drop(account_id)

    async def count(self, account_id: AccountId) -> int:
        """See `Keyring.count`."""
        row = await self._row("SELECT count(*) FROM account_keys WHERE account_id = $1", account_id)
        return int(row[0])

    async def system(self, purpose: str) -> bytes:
        """See `Keyring.system`. A purpose is a word of a-z and underscores."""
        return await self._systems.get(purpose, self._system)

    async def _open(self, account_id: AccountId) -> AccountKey:
        row = await self._row(
            "SELECT version, key_id, master, wrapped FROM account_keys WHERE account_id = $1"
            " ORDER BY version DESC LIMIT 1",
            account_id,
        )
        if row is None:
            raise KeyGone
        return AccountKey(row["version"], await self._unwrapped(row))

    async def _system(self, purpose: str) -> bytes:
        newest = (
            "SELECT key_id, master, wrapped FROM system_keys WHERE purpose = $1 ORDER BY version DESC LIMIT 1"
        )
        row = await self._row(newest, purpose)
        if row is None:
            key_id, wrapped = await self._fresh()
            async with _connection(self._pool) as connection:
                await connection.execute(
                    "INSERT INTO system_keys (purpose, version, key_id, master, wrapped) VALUES ($1, 1, $2, $3, $4)"
                    " ON CONFLICT DO NOTHING",
                    purpose, key_id, wrapped.key_id, wrapped.blob, timeout=DATABASE_SECONDS,
                )  # fmt: skip
            row = await self._row(newest, purpose)  # ours, or that of someone faster
        return await self._unwrapped(row)

    async def _row(self, query: str, *values: object) -> Any:  # noqa: ANN401 - asyncpg has no types
        async with _connection(self._pool) as connection:
            return await connection.fetchrow(query, *values, timeout=DATABASE_SECONDS)

    async def _fresh(self) -> tuple[UUID, WrappedKey]:
        key_id = uuid4()
        try:
            return key_id, await self._kms.wrap(urandom(32), _context(key_id))
        except KmsError:
            raise KeysUnavailable from None

    async def _unwrapped(self, row: Any) -> bytes:  # noqa: ANN401 - see _row
        try:
            return await self._kms.unwrap(WrappedKey(row["master"], row["wrapped"]), _context(row["key_id"]))
        except KmsError:
            raise KeysUnavailable from None


@asynccontextmanager
async def _connection(pool: asyncpg.Pool) -> AsyncIterator[Any]:
    """Lend a connection; whatever goes wrong with the database inside is KeysUnavailable."""
    try:
        async with pool.acquire(timeout=DATABASE_SECONDS) as connection:
            yield connection
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        raise KeysUnavailable from None


def _context(key_id: UUID) -> dict[str, str]:
    return {"key": str(key_id)}
