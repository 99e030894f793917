"""The pool of connections to PostgreSQL: how many, which are dropped, and what an outage is."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from adapters.outbound.postgres.pool import StatementRefused, connect
from application.ports.store import StoreUnavailable
from tests.contract.conftest import Postgres


async def test_a_connection_that_failed_otherwise_than_by_the_database_is_dropped(postgres: Postgres) -> None:
    async with connect(await postgres.database("dropped"), least=1, most=1) as database:
        pid = "SELECT pg_backend_pid()"
        first = (await database.first(pid))[0]
        with pytest.raises(StatementRefused):
            await database.fetch("SELECT 1/0")
        assert (await database.first(pid))[0] == first, (
            "what the database refuses says nothing about the connection"
        )
        with pytest.raises(StoreUnavailable):
            await database.fetch("SELECT $1::integer", 1, 2)
        assert (await database.first(pid))[0] != first


async def test_a_connection_whose_statement_was_cancelled_is_dropped_and_its_statement_ended(
    postgres: Postgres,
) -> None:
    async with connect(await postgres.database("cancel"), least=1, most=1) as database:
        pid = "SELECT pg_backend_pid()"
        for _ in range(3):
            before = (await database.first(pid))[0]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await database.fetch("SELECT pg_sleep(5)")
            assert (await database.first(pid))[0] != before
            asleep = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"
            assert (await database.first(asleep, before))[0] == 0, "it took its place until it had ended"


@pytest.mark.parametrize(
    "failure", [asyncpg.InternalClientError, asyncpg.ProtocolError, asyncpg.InterfaceError, RuntimeError]
)
async def test_what_the_driver_fails_with_is_an_outage_and_costs_the_connection(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    async def fails(*_: object) -> None:
        raise failure("+15551234567")

    async with connect(await postgres.database("driver"), least=1, most=1) as database:
        before = (await database.first("SELECT pg_backend_pid()"))[0]
        with monkeypatch.context() as patch:
            patch.setattr(asyncpg.Connection, "fetch", fails)
            with pytest.raises(StoreUnavailable) as told:
                await database.fetch("SELECT 1")
        assert (told.value.__context__, told.value.__cause__) == (None, None)
        assert (await database.first("SELECT pg_backend_pid()"))[0] != before


async def test_connections_are_few_and_come_back_after_they_were_cut(postgres: Postgres) -> None:
    dsn = await postgres.database("few")
    async with connect(dsn, least=2, most=3) as database:
        count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        assert (await database.first(count))[0] == 2
        await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.02)") for _ in range(12)))
        assert (await database.first(count))[0] == 3
        await postgres.interrupt(dsn)
        await asyncio.sleep(0.1)
        assert (await database.first("SELECT 1"))[0] == 1
    with pytest.raises(StoreUnavailable):
        await database.fetch("SELECT 1")


async def test_a_database_that_cannot_be_reached_is_unavailable(postgres: Postgres) -> None:
    dsn = await postgres.database("gone")
    await postgres.drop(dsn)
    for nowhere in (dsn, "postgresql://pico@127.0.0.1:1/pico", "postgresql://pico@/pico?host=/nowhere"):
        with pytest.raises(StoreUnavailable):
            async with connect(nowhere, least=1):
                pass
