"""Snapshots of PostgreSQL: their bounds, and that they take nothing from short statements."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
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


@pytest.fixture
async def snapshots_of_it(dsn: str) -> AsyncIterator[Snapshots]:
    made = Snapshots(dsn)
    yield made
    await made.close()


async def test_one_connection_is_kept_for_the_next_and_closed_at_the_end(dsn: str) -> None:
    made, pid = Snapshots(dsn), "SELECT pg_backend_pid()"
    async with made.open() as one, made.open() as other:
        first = [(await each.first(pid))[0] for each in (one, other)]
    async with made.open() as again:
        assert (await again.first(pid))[0] in first
    await made.close()
    async with connect(dsn, least=1, most=1) as database:
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pico snapshot'"
        assert (await database.first(count))[0] == 0


async def test_a_kept_connection_that_was_cut_is_not_given_out(
    postgres: Postgres, dsn: str, snapshots_of_it: Snapshots
) -> None:
    async with snapshots_of_it.open():
        pass
    await postgres.interrupt(dsn)
    await asyncio.sleep(0.1)
    async with snapshots_of_it.open() as moment:
        assert await moment.fetch("SELECT 1")


async def test_it_needs_none_of_the_connections_for_short_statements(
    dsn: str, snapshots_of_it: Snapshots
) -> None:
    async with connect(dsn, least=1, most=1) as database, snapshots_of_it.open() as moment:
        busy = asyncio.create_task(database.fetch("SELECT pg_sleep(1)"))
        assert await moment.fetch("SELECT 1")
        assert not busy.done()
        await busy


async def test_nothing_is_written_through_it(snapshots_of_it: Snapshots) -> None:
    async with snapshots_of_it.open() as moment:
        with pytest.raises(Exception, match="25006"):
            await moment.fetch("CREATE TABLE written (it text)")


async def test_it_does_not_last_for_ever(dsn: str) -> None:
    now = 0.0
    made = Snapshots(dsn, monotonic=lambda: now)

    async def reads_on() -> None:
        nonlocal now
        async with made.open() as moment:
            now = SNAPSHOT_SECONDS
            await moment.fetch("SELECT 1")
            now += 1
            await moment.fetch("SELECT 1")

    with pytest.raises(StoreUnavailable):
        await reads_on()


async def test_the_server_ends_one_whose_reader_hangs(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert snapshots.IDLE_SECONDS < SNAPSHOT_SECONDS
    monkeypatch.setattr(snapshots, "IDLE_SECONDS", 0.1)

    async def hangs() -> None:
        async with Snapshots(dsn).open() as moment:
            await asyncio.sleep(0.5)
            await moment.fetch("SELECT 1")

    with pytest.raises(StoreUnavailable):
        await hangs()


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
    await opened.close()


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
