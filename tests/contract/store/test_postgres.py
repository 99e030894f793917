"""The PostgreSQL store under the contract, and what only a real database can show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg
import pytest

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.limits import MemoryLimits
from adapters.outbound.memory.system import CountingIds, HandClock
from adapters.outbound.postgres.backlog import PostgresBacklog
from adapters.outbound.postgres.directory import PostgresDirectory
from adapters.outbound.postgres.erasing import BATCH
from adapters.outbound.postgres.limits import PostgresLimits
from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.queue import PostgresQueue
from adapters.outbound.postgres.store import PostgresStore
from application.inventory import BY_TYPE
from application.ports.backlog import Backlog
from application.ports.store import VersionConflict
from domain.audit import AuditEntry, AuditKind
from domain.kernel import AccountId
from domain.lines import PhoneLine
from domain.values import Label
from tests.contract.conftest import Postgres
from tests.contract.store.charges import ChargePromises
from tests.contract.store.contract import StoreContract, World

ENVIRONMENT = "test"
PUBLIC = "SELECT commitment FROM audit_recent UNION ALL SELECT commitment FROM audit_log"


@dataclass(kw_only=True)
class PostgresWorld(World):
    queue: PostgresQueue
    database: Database
    dsn: str
    postgres: Postgres

    @property
    def backlog(self) -> Backlog:
        return PostgresBacklog(self.database)

    async def entries(self, account_id: AccountId) -> list[AuditEntry]:
        async with self.store.begin(account_id) as tx:
            rows = await tx.records.page(BY_TYPE[AuditEntry], None, 100)
        return [AuditEntry(**{**row, "kind": AuditKind(row["kind"])}) for row in rows]

    async def public_log(self) -> set[bytes]:
        return {row[0] for row in await self.database.fetch(PUBLIC)}

    async def strike(self) -> None:
        await self.postgres.drop(self.dsn)


class DriversIds(CountingIds):
    """Ids of the driver's own subclass of UUID: in C, equal and alike in all but name, they cost a page much less."""

    def new(self, after: datetime | None = None) -> UUID:
        return asyncpg.pgproto.pgproto.UUID(super().new(after).bytes)


@asynccontextmanager
async def fresh(postgres: Postgres) -> AsyncIterator[PostgresWorld]:
    dsn = await postgres.database("store")
    clock, keyring = HandClock(), MemoryKeyring()
    ids = DriversIds(clock)
    async with connect(dsn, least=1, most=4) as database:
        store = PostgresStore(database, keyring, ids, environment=ENVIRONMENT)
        directory, queue = (
            PostgresDirectory(database, keyring, environment=ENVIRONMENT),
            PostgresQueue(database),
        )
        yield PostgresWorld(
            store=store, directory=directory, queue=queue, keyring=keyring, clock=clock, ids=ids,
            database=database, dsn=dsn, postgres=postgres, limits=PostgresLimits(database, keyring),
        )  # fmt: skip
    await postgres.drop(dsn)  # it lies in memory: some 18 MB


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[PostgresWorld]:
    async with fresh(postgres) as made:
        yield made


class TestPostgresStore(StoreContract):
    pass


async def test_two_commits_cannot_each_rely_on_what_the_other_changes(world: PostgresWorld) -> None:
    account_id = await world.account()
    one, two = await world.line(account_id), await world.line(account_id)

    async def change(written: PhoneLine, required_unchanged: PhoneLine) -> None:
        async with world.store.begin(account_id) as tx:
            mine = await tx.lines.get(written.id)
            mine.relabel(Label("changed"))
            tx.save(mine)
            tx.require_unchanged(await tx.lines.get(required_unchanged.id))

    # A third party holds `two` back, so that both statements are under way before either can end.
    gate = await asyncpg.connect(world.dsn)
    try:
        async with gate.transaction():
            await gate.execute("SELECT FROM phone_lines WHERE id = $1 FOR UPDATE", two.id)
            first = asyncio.create_task(change(two, one))
            await waiting_for_locks(world, 1)
            second = asyncio.create_task(change(one, two))
            await waiting_for_locks(world, 2)
    finally:
        await gate.close()
    ways = await asyncio.gather(first, second, return_exceptions=True)
    assert [type(way) for way in ways].count(VersionConflict) == 1


async def test_a_commit_under_way_is_erased_with_the_rest_or_refused(world: PostgresWorld) -> None:
    account_id = await world.account()
    await world.keyring.open(account_id)
    gate = await asyncpg.connect(world.dsn)
    try:
        async with gate.transaction():
            await gate.execute("SELECT FROM accounts WHERE id = $1 FOR UPDATE", account_id)
            late = asyncio.create_task(world.commit(account_id, world.new_session(account_id)))
            await waiting_for_locks(world, 1)
            erasing = asyncio.create_task(world.store.delete_rows(account_id))
            await waiting_for_locks(world, 2)
    finally:
        await gate.close()
    await asyncio.wait({late, erasing})
    assert late.exception() is None or isinstance(late.exception(), VersionConflict)
    assert sum((await world.store.count_rows(account_id)).values()) == 0


async def waiting_for_locks(world: PostgresWorld, sessions: int) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(5):
        while (await world.database.first(waiting))[0] != sessions:  # noqa: ASYNC110 - PostgreSQL sets no event
            await asyncio.sleep(0.005)


async def test_more_rows_than_a_batch_are_deleted_and_counted(world: PostgresWorld) -> None:
    account_id = await world.account()
    rows = (
        "INSERT INTO idempotency_records (account_id, id, resource_id, expires_at, key, request, seal, version)"
        " SELECT $1, gen_random_uuid(), $1, now(), int4send(n), '', '', 1 FROM generate_series(1, $2::int) n"
    )
    await world.database.execute(rows, account_id, BATCH * 2 + 1)
    assert (await world.store.delete_rows(account_id))["idempotency_records"] == BATCH * 2 + 1
    assert sum((await world.store.count_rows(account_id)).values()) == 0


async def test_limits_that_are_counted_elsewhere_are_taken_before_the_commit(world: PostgresWorld) -> None:
    elsewhere = replace(world, limits=MemoryLimits())
    await ChargePromises().test_what_is_not_left_is_refused_and_nothing_of_the_commit_is_kept(elsewhere)
    await ChargePromises().test_a_lost_race_takes_once_and_what_fails_takes_nothing(elsewhere)
