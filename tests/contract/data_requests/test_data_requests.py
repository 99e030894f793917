"""The desks for requests, each under the one contract, and what the real one leaves at rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from adapters.outbound.memory.data_requests import MemoryDataRequests
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.postgres.data_requests import PostgresDataRequests
from adapters.outbound.postgres.pool import connect
from application.ports.keyring import KeysUnavailable
from tests.contract.conftest import Postgres
from tests.contract.data_requests.contract import ADA, DataRequestsContract, request


class TestMemoryDataRequests(DataRequestsContract):
    @pytest.fixture
    def desk(self) -> MemoryDataRequests:
        return MemoryDataRequests()


class TestPostgresDataRequests(DataRequestsContract):
    @pytest.fixture
    async def dsn(self, postgres: Postgres) -> str:
        return await postgres.database("desk")

    @pytest.fixture
    def keyring(self) -> MemoryKeyring:
        return MemoryKeyring()

    @pytest.fixture
    async def desk(self, dsn: str, keyring: MemoryKeyring) -> AsyncIterator[PostgresDataRequests]:
        async with connect(dsn, least=1, most=8) as database:
            yield PostgresDataRequests(database, keyring)

    async def test_without_its_key_nothing_is_kept(
        self, desk: PostgresDataRequests, keyring: MemoryKeyring
    ) -> None:
        keyring.outage = True
        with pytest.raises(KeysUnavailable):
            await desk.add(request(), ADA)

    async def test_a_row_does_not_say_whom_it_is_about(self, desk: PostgresDataRequests, dsn: str) -> None:
        await desk.add(one := request(), ADA)
        connection = await asyncpg.connect(dsn)
        (row,) = await connection.fetch("SELECT * FROM data_requests")
        await connection.close()
        about = row["about"]
        assert len(about) == 32
        assert ADA.bytes not in about
        assert UUID(bytes=row["id"].bytes) == one.id
        assert set(dict(row)) == {"about", "id", "kind", "received_at", "closed_at", "outcome"}
