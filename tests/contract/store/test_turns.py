"""Who waits for one of the few connections: all get their turn, and whoever gives up takes nobody's."""

from __future__ import annotations

import asyncio

import pytest

from adapters.outbound.postgres import pool
from adapters.outbound.postgres.pool import Database, connect
from application.ports.store import StoreUnavailable
from tests.contract.conftest import Postgres

BRIEFLY = "SELECT pg_sleep(0.05)"


async def test_whoever_gives_up_while_waiting_leaves_the_others_their_turns(postgres: Postgres) -> None:
    async with connect(await postgres.database("turns"), least=1, most=1) as database:
        first, *others = [asyncio.create_task(database.fetch(BRIEFLY)) for _ in range(5)]
        await asyncio.sleep(0.01)
        assert (database.busy, database.waiting) == (1, 4)
        for impatient in others[:2]:
            impatient.cancel()
        await asyncio.gather(first, *others[2:])
        assert (database.busy, database.waiting) == (0, 0)


async def test_a_turn_that_comes_when_nobody_wants_it_any_more_is_passed_on(postgres: Postgres) -> None:
    async with connect(await postgres.database("turns"), least=1, most=1) as database:

        async def first() -> None:
            await database.fetch(BRIEFLY)
            second.cancel()  # its turn has come in this very moment, and it has not heard of it

        running = asyncio.create_task(first())
        await asyncio.sleep(0.01)
        second, third = (asyncio.create_task(database.fetch("SELECT 1")) for _ in range(2))
        await asyncio.wait_for(third, 5)
        await running
        assert second.cancelled()
        assert (database.busy, database.waiting) == (0, 0)


async def test_nobody_waits_for_ever(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "STATEMENT_SECONDS", 0.05)
    database = Database(await postgres.database("turns"), 0)
    with pytest.raises(StoreUnavailable):
        await database.fetch("SELECT 1")
    assert (database.busy, database.waiting) == (0, 0)
