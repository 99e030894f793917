"""Snapshots of PostgreSQL: their bounds, and that they take nothing from short statements."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from adapters.outbound.postgres import snapshots
from adapters.outbound.postgres.pool import connect
from adapters.outbound.postgres.snapshots import MOST, Snapshots
from application.ports.store import SNAPSHOT_SECONDS, StoreUnavailable
from tests.contract.conftest import Postgres


@pytest.fixture
async def dsn(postgres: Postgres) -> str:
    return await postgres.bare("snapshots")


async def test_it_needs_none_of_the_connections_for_short_statements(dsn: str) -> None:
    async with connect(dsn, least=1, most=1) as database, Snapshots(dsn).open() as moment:
        busy = asyncio.create_task(database.fetch("SELECT pg_sleep(1)"))
        assert await moment.fetch("SELECT 1")
        assert not busy.done()
        await busy


async def test_nothing_is_written_through_it(dsn: str) -> None:
    async with Snapshots(dsn).open() as moment:
        with pytest.raises(Exception, match="25006"):
            await moment.fetch("CREATE TABLE written (it text)")


async def test_it_does_not_last_for_ever(dsn: str) -> None:
    now = 0.0
    async with Snapshots(dsn, monotonic=lambda: now).open() as moment:
        now = SNAPSHOT_SECONDS
        await moment.fetch("SELECT 1")
        now += 1
        with pytest.raises(StoreUnavailable):
            await moment.fetch("SELECT 1")


async def test_the_server_ends_one_whose_reader_hangs(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert snapshots.IDLE_SECONDS < SNAPSHOT_SECONDS
    monkeypatch.setattr(snapshots, "IDLE_SECONDS", 0.1)
    async with Snapshots(dsn).open() as moment:
        await asyncio.sleep(0.5)
        with pytest.raises(StoreUnavailable):
            await moment.fetch("SELECT 1")


async def test_a_few_are_open_at_a_time_and_who_waits_in_vain_is_told(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "WAIT_SECONDS", 0.2)
    opened = Snapshots(dsn)
    async with connect(dsn, least=1, most=1) as database, AsyncExitStack() as stack:
        for _ in range(MOST):
            await stack.enter_async_context(opened.open())
        with pytest.raises(StoreUnavailable):
            await stack.enter_async_context(opened.open())
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pico snapshot'"
        assert (await database.first(count))[0] == MOST
        await stack.aclose()
        async with opened.open() as moment:
            assert await moment.fetch("SELECT 1")


async def test_places_are_given_back_whatever_happens(dsn: str) -> None:
    opened = Snapshots(dsn)

    async def fails() -> None:
        async with opened.open() as moment:
            await moment.fetch("SELECT 1/0")

    for _ in range(MOST + 1):
        with pytest.raises(Exception, match="22012"):
            await fails()
    nowhere = Snapshots("postgresql://pico@/pico?host=/nowhere")
    for _ in range(MOST + 1):
        with pytest.raises(StoreUnavailable):
            async with nowhere.open():
                pass
