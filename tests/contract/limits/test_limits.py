"""The keepers of limits, each under the one contract, and what the real one leaves at rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.limits import MemoryLimits
from adapters.outbound.postgres.limits import PostgresLimits
from adapters.outbound.postgres.pool import connect
from adapters.outbound.system.limits import ProcessLimits
from application.ports.limits import LimitsUnavailable
from tests.contract.conftest import Postgres
from tests.contract.limits.contract import NOW, OTHER, TEN, LimitsContract, SharedLimitsContract


class TestMemoryLimits(SharedLimitsContract):
    @pytest.fixture
    def limits(self) -> MemoryLimits:
        return MemoryLimits()

    @pytest.fixture
    def outage(self, limits: MemoryLimits) -> Callable[[], Awaitable[None]]:
        async def begin() -> None:
            limits.outage = True

        return begin


class TestProcessLimits(LimitsContract):
    @pytest.fixture
    def limits(self) -> ProcessLimits:
        return ProcessLimits(remembered=4)

    async def test_what_was_taken_from_longest_ago_is_forgotten_first(self, limits: ProcessLimits) -> None:
        for of in ("ada", "ben", "eva", "ida"):
            await self.taken(limits, NOW, of)
        limits.taken(TEN, "ada", NOW + TEN.every)
        limits.taken(TEN, "uma", NOW)
        assert await self.taken(limits, NOW, "ada") == 0
        assert await self.taken(limits, NOW, "ben") == 6


class TestPostgresLimits(SharedLimitsContract):
    @pytest.fixture
    async def dsn(self, postgres: Postgres) -> str:
        return await postgres.database("limits")

    @pytest.fixture
    def keyring(self) -> MemoryKeyring:
        return MemoryKeyring()

    @pytest.fixture
    async def limits(self, dsn: str, keyring: MemoryKeyring) -> AsyncIterator[PostgresLimits]:
        async with connect(dsn, least=1, most=8) as database:
            yield PostgresLimits(database, keyring)

    @pytest.fixture
    def outage(self, postgres: Postgres, dsn: str) -> Callable[[], Awaitable[None]]:
        return lambda: postgres.drop(dsn)

    async def test_a_keyring_that_is_gone_is_an_outage(
        self, limits: PostgresLimits, keyring: MemoryKeyring
    ) -> None:
        keyring.outage = True
        with pytest.raises(LimitsUnavailable):
            await limits.take(TEN, "ada", NOW)

    async def test_a_row_is_a_keyed_fingerprint_and_an_instant(
        self, limits: PostgresLimits, dsn: str, keyring: MemoryKeyring
    ) -> None:
        for limit in (TEN, OTHER):
            await limits.take(limit, "ada@example.org", NOW)
        connection = await asyncpg.connect(dsn)
        rows = await connection.fetch("SELECT * FROM limits")
        await connection.close()
        assert len({row["key"] for row in rows}) == 2
        for row in rows:
            assert dict(row) == {"key": row["key"], "full_at": NOW + TEN.every}
            assert len(row["key"]) == 32
            assert b"ada" not in row["key"]
        keyring._systems.clear()
        assert (await limits.take(TEN, "ada@example.org", NOW)).left == 5, "under another key it is another"

    async def test_it_is_there_after_a_restart(
        self, limits: PostgresLimits, dsn: str, keyring: MemoryKeyring
    ) -> None:
        assert await self.taken(limits, NOW) == 6
        async with connect(dsn, least=1, most=1) as database:
            assert await self.taken(PostgresLimits(database, keyring), NOW) == 0
