"""The keepers of live events under the one contract, and the law that matters most, on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from adapters.outbound.postgres.live import PostgresLiveEvents
from adapters.outbound.postgres.pool import connect
from application.ports.live import LiveEvents
from domain.kernel import AccountId
from domain.live import LiveEvent, place_of
from domain.live_kinds import LiveKind
from pico_testkit import InMemory
from tests.contract.conftest import Postgres
from tests.contract.live.contract import LiveEventsContract, happen, subjects_of, told
from tests.support.harness import OnPostgres, on_postgres

WRITE = (
    "INSERT INTO live_events (account_id, id, kind, subject, at, version)"
    " VALUES ($1, $2, 'account.changed', $3, $4, 1)"
)


class TestMemoryLiveEvents(LiveEventsContract):
    @pytest.fixture
    def world(self) -> InMemory:
        return InMemory()


class TestPostgresLiveEvents(LiveEventsContract):
    @pytest.fixture
    async def world(self, postgres: Postgres, tmp_path: Path) -> AsyncIterator[OnPostgres]:
        async with on_postgres(postgres, tmp_path) as world:
            yield world

    async def test_an_event_that_is_older_and_committed_later_is_passed_over_by_nobody(
        self, world: OnPostgres, live: LiveEvents, ada: AccountId
    ) -> None:
        """Of two writers the first one to begin is the last one to end: whoever has seen the other still gets it."""
        head = await live.head(ada)
        late = LiveEvent.of(
            ada, world.ids.new(), LiveKind.ACCOUNT_CHANGED, world.ids.new(), world.clock.now()
        )
        writer = await asyncpg.connect(world.database.dsn)
        try:
            async with writer.transaction():
                await writer.execute(WRITE, ada, late.id, late.subject, late.at)
                meanwhile = await happen(world, ada, 2)
                seen = await told(live, ada, head)
                assert subjects_of(seen)[-2:] == meanwhile
                assert await told(live, ada, seen[-1].id) == []
        finally:
            await writer.close()
        assert await live.stirred({ada: seen[-1].id}) == {ada}
        (found,) = await told(live, ada, seen[-1].id)
        assert found.subject == late.subject, "an event was passed over"
        assert place_of(found.id) == place_of(seen[-1].id) + 1

    async def test_who_gives_places_late_gives_none_that_are_taken(
        self, world: OnPostgres, live: LiveEvents, ada: AccountId
    ) -> None:
        """Two servers read the same events without a place: whoever is second reads again."""
        head = await live.head(ada)
        made = await happen(world, ada, 3)
        async with connect(world.database.dsn, least=1, most=2) as database:
            other = PostgresLiveEvents(database)
            gate = await asyncpg.connect(world.database.dsn)
            try:
                async with gate.transaction():
                    await gate.execute("SELECT FROM live_streams WHERE account_id = $1 FOR UPDATE", ada)
                    both = [asyncio.create_task(each.after(ada, head, 9)) for each in (live, other)]
                    await until_two_wait(world)
                mine, theirs = await asyncio.gather(*both)
            finally:
                await gate.close()
        assert mine == theirs == await told(live, ada, head)
        assert subjects_of(mine) == made


async def until_two_wait(world: OnPostgres) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while await world.pool.fetchval(waiting) < 2:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)
