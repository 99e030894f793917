"""Worlds to prove things on: the product whole, or with parts of it swapped for dishonest ones."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import fields
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from adapters.outbound.local.byte_store import LocalByteStore
from adapters.outbound.local.kms import LocalKms
from adapters.outbound.local.ledger import LocalLedger
from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.memory.mail import MemoryMail
from adapters.outbound.memory.payments import MemoryPayments
from adapters.outbound.memory.porting import MemoryPorting
from adapters.outbound.memory.push import MemoryPush
from adapters.outbound.memory.recordings import MemoryRecordings
from adapters.outbound.memory.store_purchases import MemoryStorePurchases
from adapters.outbound.memory.system import HandClock
from adapters.outbound.memory.voice_carrier import MemoryVoiceCarrier
from adapters.outbound.memory.webhook_receivers import MemoryWebhookReceivers
from adapters.outbound.pictures.cleaning import AllowListedPictures
from adapters.outbound.postgres.audit_log import PostgresAuditLog
from adapters.outbound.postgres.backlog import PostgresBacklog
from adapters.outbound.postgres.catch_ups import PostgresCatchUps
from adapters.outbound.postgres.codec import CODECS
from adapters.outbound.postgres.data_requests import PostgresDataRequests
from adapters.outbound.postgres.directory import PostgresDirectory
from adapters.outbound.postgres.epochs import PostgresEpochs
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.ledger_place import PostgresLedgerPlace
from adapters.outbound.postgres.limits import PostgresLimits
from adapters.outbound.postgres.live import PostgresLiveEvents
from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.queue import PostgresQueue
from adapters.outbound.postgres.resealing import PostgresResealing
from adapters.outbound.postgres.sealing import FORMAT, OVERHEAD, AccountCipher
from adapters.outbound.postgres.store import CipherCache, PostgresStore
from adapters.outbound.sealed.objects import SealedObjects
from adapters.outbound.system.call_clients import SealedCallClients
from adapters.outbound.system.entitlements import FixedPlan
from adapters.outbound.system.fingerprints import AccountFingerprint
from adapters.outbound.system.ids import TimeOrderedIds
from adapters.outbound.system.limits import ProcessLimits
from adapters.outbound.system.media_addresses import SealedMediaAddresses
from adapters.outbound.system.numbering import PhonenumbersPlan
from adapters.outbound.system.passwords import Argon2Hasher, PasswordCost
from adapters.outbound.system.signing import SystemSigning
from adapters.outbound.system.tokens import SignedTokens
from application.inventory import INVENTORY
from application.ports.keyring import AccountKey
from application.retention import SweepResult
from bootstrap.outside import Outside
from bootstrap.plaintext_scan import Trace, search_bytes
from bootstrap.worlds import InMemory
from bootstrap.worlds.memory import OFFERS
from domain.documents import Documents
from domain.epochs import EpochPolicy
from domain.kernel import AccountId
from domain.retention import Retention
from domain.spend import SpendPolicy
from tests.contract.conftest import Postgres

ENVIRONMENT = "proof"
CHEAP = PasswordCost(memory_mib=1, passes=1, lanes=1)
"""Tests hash often; what the product takes is proved where its settings are read."""

PORTS = {port.name for port in fields(Outside)}
Part = Callable[..., Any]
"""Makes a part: what a port asks for from its world, a use case from what the honest one was given, by name."""


class Worlds(Protocol):
    """Makes empty worlds in memory. A saboteur hands over a `partial` of it."""

    def __call__(self, *, retention: Retention = ..., **parts: Part) -> InMemory: ...


class Anywhere(Protocol):
    """Opens empty worlds, on one store and then on the other. A saboteur hands over a `partial` of it."""

    def __call__(
        self, *, retention: Retention = ..., sql: str = ..., **parts: Part
    ) -> AbstractAsyncContextManager[InMemory]: ...


class Databases(Protocol):
    """Opens empty worlds on PostgreSQL. A saboteur hands over a `partial` of it; `sql` changes the schema first."""

    def __call__(
        self, *, retention: Retention = ..., sql: str = ..., **parts: Part
    ) -> AbstractAsyncContextManager[OnPostgres]: ...


def in_memory(*, retention: Retention = Retention(), **parts: Part) -> InMemory:  # noqa: B008 - a frozen value
    """Make an empty world in memory: the honest `Worlds`."""
    world = InMemory(retention)
    for name in parts.keys() & PORTS:
        setattr(world, name, parts[name](world))
    world.wire(use_cases_of(parts))
    return world


@asynccontextmanager
async def opened_in_memory(*, sql: str = "", **given: Any) -> AsyncIterator[InMemory]:
    """Open an empty world in memory as one on PostgreSQL is opened. `sql` breaks the other kind only."""
    _ = sql
    yield in_memory(**given)


def use_cases_of(parts: Mapping[str, Part]) -> dict[str, Part]:
    """Return those parts that are use cases."""
    return {name: part for name, part in parts.items() if name not in PORTS}


class OnPostgres(InMemory):
    """The product on real databases, keys, hashes and ledger; providers are fakes, and time is a hand clock."""

    queue: PostgresQueue  # type: ignore[assignment]  # the real one in place of the fake

    def __init__(
        self, database: Database, pool: asyncpg.Pool, folder: Path, retention: Retention, parts: Mapping[str, Part]
    ) -> None:  # fmt: skip
        self.database, self.pool, self.folder, self.retention = database, pool, folder, retention
        self.clock = HandClock()
        honest: dict[str, Part] = {
            "carrier": lambda world: MemoryCarrier(world.clock.now),
            "porting": lambda world: MemoryPorting(world.clock.now, world.carrier),
            "catch_ups": lambda _: PostgresCatchUps(database),
            "voice": lambda world: MemoryVoiceCarrier(world.clock.now),
            "recordings": lambda _: MemoryRecordings(),
            "transcriber": lambda world: world.recordings,
            "plan": lambda _: PhonenumbersPlan(),
            "entitlements": lambda _: FixedPlan(),
            "offers": lambda _: OFFERS,
            "payments": lambda world: MemoryPayments(world.clock.now),
            "store_purchases": lambda _: MemoryStorePurchases(),
            "mail": lambda _: MemoryMail(),
            "pause": lambda _: timedelta(),
            "spend_policy": lambda _: SpendPolicy(),
            "documents": lambda _: Documents(),
            "ids": lambda world: TimeOrderedIds(world.clock),
            "keyring": lambda world: PostgresKeyring(
                world.database, LocalKms(folder / "kms", world.clock.now)
            ),
            "resealing": lambda world: PostgresResealing(database, world.keyring, ENVIRONMENT),
            "epochs": lambda world: PostgresEpochs(world.database, LocalKms(folder / "kms", world.clock.now)),
            "epoch_policy": lambda _: EpochPolicy(),
            "call_clients": lambda world: SealedCallClients(world.keyring),
            "store": lambda world: PostgresStore(database, world.keyring, world.ids, environment=ENVIRONMENT),
            "push": lambda _: MemoryPush(),
            "webhook_receivers": lambda _: MemoryWebhookReceivers(),
            "live_events": lambda _: PostgresLiveEvents(database),
            "queue": lambda _: PostgresQueue(database),
            "backlog": lambda _: PostgresBacklog(database),
            "directory": lambda world: PostgresDirectory(database, world.keyring, environment=ENVIRONMENT),
            "objects": lambda world: SealedObjects(
                LocalByteStore(folder / "objects"), world.keyring, ENVIRONMENT
            ),
            "pictures": lambda _: AllowListedPictures(),
            "media_addresses": lambda world: SealedMediaAddresses(world.keyring, "https://pico.example"),
            "audit_log": lambda world: PostgresAuditLog(database, world.keyring),
            "signing": lambda world: SystemSigning(world.keyring),
            "ledger": lambda _: LocalLedger(folder / "ledger", b"a key of the ledger's own, 32 byte"),
            "place": lambda _: PostgresLedgerPlace(database),
            "fingerprint": lambda world: AccountFingerprint(world.keyring),
            "limits": lambda world: PostgresLimits(database, world.keyring),
            "data_requests": lambda world: PostgresDataRequests(database, world.keyring),
            "limits_here": lambda _: ProcessLimits(),
            "hasher": lambda _: Argon2Hasher(CHEAP),
            "tokens": lambda world: SignedTokens(world.keyring),
        }
        for name, part in honest.items():
            setattr(self, name, parts.get(name, part)(self))
        self.wire(use_cases_of(parts))

    async def settle(self) -> None:
        """Do every job that is due, and those they bring about, without the waiting that a queue at rest does."""
        while taken := await self.queue.take(1):
            for leased in taken:
                await self.queue.settle(leased, await self.worker(leased))

    async def advance(self, by: timedelta) -> SweepResult:
        """Move the clock and the queue, which the database dates by its own; then go on as every world does."""
        await self.queue.shift(by)
        return await super().advance(by)

    async def rows(self, table: str, **where: object) -> list[Mapping[str, Any]]:
        """Return rows of a table, as they lie there."""
        tests = " AND ".join(f"{name} = ${place}" for place, name in enumerate(where, 1)) or "true"
        return await self.database.fetch(f"SELECT * FROM {table} WHERE {tests}", *where.values())  # noqa: S608

    async def row(self, table: str, **where: object) -> Mapping[str, Any]:
        """Return the one row there is."""
        (row,) = await self.rows(table, **where)
        return row

    async def opened(self, account_id: AccountId) -> str:
        """Return every record of an account with its seals opened, as text to search."""
        async with self.store.begin(account_id) as tx:
            return str([row for of in INVENTORY for row in await tx.records.page(of, None, 10_000)])

    async def traces(self, *values: str) -> set[Trace]:
        """Search everything we keep, byte by byte: every table, and every file."""
        wanted = {value: value for value in values}
        found = set[Trace]()
        async with self.pool.acquire() as connection:
            for (table,) in await connection.fetch(_TABLES):
                copy = io.BytesIO()
                await connection.copy_from_table(table, output=copy, format="binary")
                found |= set(search_bytes(table, copy.getvalue(), wanted))
        for path in (path for path in self.folder.rglob("*") if path.is_file()):
            found |= set(search_bytes(path.name, path.read_bytes(), wanted))
        return found


_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


@asynccontextmanager
async def on_postgres(
    postgres: Postgres,
    folder: Path,
    *,
    retention: Retention = Retention(),  # noqa: B008 - a frozen value
    sql: str = "SELECT 1",
    **parts: Part,
) -> AsyncIterator[OnPostgres]:
    """Open an empty world on PostgreSQL: the honest `Databases`."""
    async with AsyncExitStack() as stack:
        dsn = await postgres.with_keyring("proof")  # what is proved needs no second database for the keys
        stack.push_async_callback(postgres.drop, dsn)  # it lies in memory: some 18 MB
        pool = await stack.enter_async_context(asyncpg.create_pool(dsn, min_size=1, max_size=2))
        await pool.execute(sql)
        database = await stack.enter_async_context(connect(dsn, least=1, most=3))
        world = OnPostgres(database, pool, folder, retention, parts)
        if isinstance(world.hasher, Argon2Hasher):
            stack.callback(world.hasher.close)
        yield world


def skipping(act: str, table: str, when: str = "true") -> str:
    """Return SQL by which the database says yes to INSERT, UPDATE or DELETE of rows, and does nothing."""
    return (
        "CREATE OR REPLACE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        f" CREATE TRIGGER skip BEFORE {act} ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION skip()"
    )


class _Clear:
    """Shaped as a sealed blob, or the database would refuse it; but what it holds lies there in clear."""

    @staticmethod
    def seal(_row_id: bytes, plaintext: bytes, _bound: bytes = b"") -> bytes:
        return FORMAT + bytes(OVERHEAD - len(FORMAT)) + plaintext

    @staticmethod
    def open(_row_id: bytes, blob: bytes, _bound: bytes = b"") -> bytes:
        return blob[OVERHEAD:]


def with_cipher(of: type[AccountCipher], stored: Databases) -> Databases:
    """Have the store seal, and look things up, in another way."""

    class OtherCipherCache(CipherCache):
        def open(
            self, account_id: AccountId, key: AccountKey, other: AccountKey | None = None
        ) -> AccountCipher:
            return of(ENVIRONMENT, account_id, key, other)

    def store(world: OnPostgres) -> PostgresStore:
        made = PostgresStore(world.database, world.keyring, world.ids, environment=ENVIRONMENT)
        made._ciphers = OtherCipherCache(ENVIRONMENT)
        return made

    return partial(stored, store=store)


def in_clear(field: str) -> Callable[[Databases], Databases]:
    """Return a saboteur that leaves one field ("table.column") unsealed."""

    class LeakyCipher(AccountCipher):
        def column(self, table: str, column: str) -> Any:
            return _Clear if f"{table}.{column}" == field else super().column(table, column)

    def saboteur(stored: Databases) -> Databases:
        return with_cipher(LeakyCipher, stored)

    saboteur.__name__ = f"leaves_{field}_in_clear"
    return saboteur


def beside(table: str, column: str, row: Mapping[str, Any]) -> bytes:
    """Return what a cell is bound to beside its place."""
    codec = next(codec for codec in CODECS.values() if codec.name == table)
    if column != codec.sealing:
        return b""
    return codec.binder.data([row[name] for name in codec.binder.names], row["version"])
