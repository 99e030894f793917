"""A provider that hangs takes its part of a worker's places; the jobs that do not ask it are found, and go on.

So they do beside a kind of which one begins after the other.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise

from adapters.outbound.postgres import job_statements
from adapters.outbound.postgres.places import OF_ONE, PLACES, Places
from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.queue import PostgresQueue
from application.jobs import ASKED
from application.ports.jobs import Done, LeasedJob, Outcome
from tests.support.queueing import pages, put, running, until

SEND, WAKE, INDEX = "send_message", "wake_device", "index_messages"
LONG, GRACE = timedelta(hours=1), timedelta(minutes=2)


class Hanging:
    """Does jobs at once but those that ask the carrier or the push service, which wait until they are let go."""

    def __init__(self, *names: str) -> None:
        self.let_go, self.names = asyncio.Event(), names
        self.under_way, self.most, self.done = Counter[str](), Counter[str](), Counter[str]()

    async def __call__(self, leased: LeasedJob) -> Outcome:
        name = leased.job.name
        self.under_way[name] += 1
        self.most[name] = max(self.most[name], self.under_way[name])
        try:
            if name in self.names:
                await self.let_go.wait()
        finally:
            self.under_way[name] -= 1
        self.done[name] += 1
        return Done()


async def put_many(database: Database, name: str, jobs: int, age: timedelta = timedelta(hours=1)) -> None:
    await database.execute(
        "INSERT INTO jobs (account_id, id, name, subject, due_at) SELECT gen_random_uuid(), gen_random_uuid(),"
        " $1, gen_random_uuid(), now() - $2::interval FROM generate_series(1, $3::integer)",
        name, age, jobs,
    )  # fmt: skip


async def test_others_go_on_while_a_provider_hangs_and_what_waited_is_done_after_it(
    database: Database,
) -> None:
    hanging = Hanging(SEND)
    await put_many(database, SEND, PLACES * 3)
    await put_many(database, INDEX, PLACES * 2, age=timedelta(minutes=1))
    async with running(PostgresQueue(database, idle=LONG), hanging):
        await until(lambda: hanging.done[INDEX] == PLACES * 2)
        assert hanging.under_way[SEND] == OF_ONE, "a provider has more of the places than its part, or fewer"
        await put(database, INDEX)
        database.wake()
        await until(lambda: hanging.done[INDEX] == PLACES * 2 + 1)
        hanging.let_go.set()
        await until(lambda: hanging.done[SEND] == PLACES * 3)
    assert hanging.most[SEND] == OF_ONE


async def test_two_that_hang_leave_places_to_the_others(database: Database) -> None:
    hanging = Hanging(SEND, WAKE)
    await put_many(database, SEND, PLACES * 2)
    await put_many(database, WAKE, PLACES * 2)
    await put_many(database, INDEX, PLACES, age=timedelta(minutes=1))
    async with running(PostgresQueue(database, idle=LONG), hanging):
        await until(lambda: hanging.done[INDEX] == PLACES)
        assert hanging.under_way == {SEND: OF_ONE, WAKE: OF_ONE, INDEX: 0}
        hanging.let_go.set()
        await until(lambda: hanging.done == {SEND: PLACES * 2, WAKE: PLACES * 2, INDEX: PLACES})


async def test_jobs_that_cannot_begin_are_not_claimed(database: Database) -> None:
    hanging = Hanging(SEND)
    await put_many(database, SEND, PLACES)
    async with running(PostgresQueue(database, idle=LONG), hanging):
        await until(lambda: hanging.under_way[SEND] == OF_ONE)
        claimed = await database.first("SELECT count(*), sum(attempts) FROM jobs WHERE state = 'leased'")
        assert tuple(claimed) == (OF_ONE, OF_ONE)
        hanging.let_go.set()
        await until(lambda: hanging.done[SEND] == PLACES)


async def test_of_a_kind_that_is_spaced_out_one_begins_after_the_other(database: Database) -> None:
    every, began = timedelta(milliseconds=80), list[float]()

    async def handle(_leased: LeasedJob) -> Outcome:
        began.append(asyncio.get_running_loop().time())
        return Done()

    await put_many(database, SEND, 4)
    places = Places({}, [SEND], every={SEND: every})
    async with running(PostgresQueue(database, idle=LONG, places=places), handle):
        await until(lambda: len(began) == 4)
    assert all(later - earlier >= every.total_seconds() * 0.95 for earlier, later in pairwise(began))


async def test_while_one_waits_for_its_turn_others_go_on_and_the_end_puts_it_back_without_a_wait(
    database: Database,
) -> None:
    done = Counter[str]()

    async def handle(leased: LeasedJob) -> Outcome:
        done[leased.job.name] += 1
        return Done()

    await put_many(database, SEND, 2)
    await put_many(database, INDEX, 10, age=timedelta(minutes=1))
    places = Places({}, [SEND, INDEX], every={SEND: LONG})
    async with (
        asyncio.timeout(GRACE.total_seconds() / 2),
        running(PostgresQueue(database, idle=LONG, grace=GRACE, places=places), handle),
    ):
        await until(lambda: done == {SEND: 1, INDEX: 10})
    assert tuple(await database.first("SELECT name, state FROM jobs")) == (SEND, "waiting")


async def test_what_is_looked_at_does_not_grow_with_what_is_left_out(database: Database) -> None:
    open_to = [name for name, asks in ASKED.items() if asks is not ASKED[SEND]]
    await put_many(database, WAKE, 1, age=timedelta(minutes=1))
    few = await pages(database, job_statements.DUE_OF, PLACES, open_to)
    await put_many(database, SEND, 20_000)
    await database.fetch("ANALYZE jobs")
    found = await PostgresQueue(database).due(PLACES, open_to)
    assert [job.name for job in found] == [WAKE]
    many = await pages(database, job_statements.DUE_OF, PLACES, open_to)
    assert many <= few + 3 * len(open_to), (few, many)


async def test_of_some_kinds_the_longest_due_come_first(database: Database) -> None:
    for name, minutes in ((SEND, 4), (INDEX, 1), (WAKE, 2), (INDEX, 3)):
        await put(database, name, timedelta(minutes=-minutes))
    found = await PostgresQueue(database).due(2, [INDEX, WAKE])
    assert [job.name for job in found] == [INDEX, WAKE]
