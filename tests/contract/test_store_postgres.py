"""The PostgreSQL store under the contract, and what only a real database can show."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.system import CountingIds, HandClock
from adapters.outbound.postgres.codec import CODECS
from adapters.outbound.postgres.directory import PostgresDirectory
from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.queue import PostgresQueue
from adapters.outbound.postgres.sealing import AccountVault
from adapters.outbound.postgres.store import PostgresStore
from domain.audit import AuditEntry
from domain.kernel import AccountId, AuditId
from tests.contract.conftest import Postgres
from tests.contract.store_contract import StoreContract, World

ENVIRONMENT = "test"


@dataclass(kw_only=True)
class PostgresWorld(World):
    database: Database
    dsn: str
    postgres: Postgres

    async def entries(self, account_id: AccountId) -> list[AuditEntry]:
        codec = CODECS[AuditEntry]
        vault = AccountVault(ENVIRONMENT, account_id, await self.keyring.open(account_id))
        select = f"SELECT {codec.columns()} FROM audit_entries WHERE account_id = $1"  # noqa: S608 - of constants
        return [codec.loader(vault)(row) for row in await self.database.fetch(select, account_id)]

    async def public_log(self) -> dict[AuditId, bytes]:
        return dict(await self.database.fetch("SELECT id, commitment FROM audit_log"))

    async def strike(self) -> None:
        await self.postgres.drop(self.dsn)


class DriversIds(CountingIds):
    """Ids of the driver's own subclass of UUID: in C, equal and alike in all but name, they cost a page much less."""

    def new(self) -> UUID:
        return asyncpg.pgproto.pgproto.UUID(super().new().bytes)


@asynccontextmanager
async def fresh(postgres: Postgres) -> AsyncIterator[PostgresWorld]:
    dsn = await postgres.database("store")
    clock, keyring = HandClock(), MemoryKeyring()
    ids = DriversIds(clock)
    async with connect(dsn, least=1, most=4) as database:
        store = PostgresStore(database, keyring, ids, environment=ENVIRONMENT)
        directory, queue = PostgresDirectory(database, keyring), PostgresQueue(database)
        yield PostgresWorld(
            store=store, directory=directory, queue=queue, keyring=keyring, clock=clock, ids=ids,
            database=database, dsn=dsn, postgres=postgres,
        )  # fmt: skip


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[PostgresWorld]:
    async with fresh(postgres) as made:
        yield made


class TestPostgresStore(StoreContract):
    pass
