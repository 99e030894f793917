"""A job's lease: renewed while the job is being done, and passed on when its worker ends, is killed or was too slow."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.queue import PostgresQueue
from application.ports.jobs import Again, Dead, Done, LeasedJob, Outcome
from application.ports.store import StoreUnavailable
from domain.kernel import AccountId
from tests.contract.conftest import Postgres
from tests.support.queueing import noted, put, running, until

BRIEF = timedelta(milliseconds=400)
ROOT = Path(__file__).parents[3]


async def test_a_job_whose_worker_was_killed_is_delivered_again(postgres: Postgres) -> None:
    dsn = await postgres.database("killed")
    async with connect(dsn, least=1, most=4) as database:
        job = await put(database)
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HANGING, dsn, stdout=subprocess.PIPE, cwd=ROOT
        )  # fmt: skip
        try:
            assert worker.stdout is not None
            assert await worker.stdout.readline() == b"taken\n"
        finally:
            worker.kill()
            await worker.communicate()
        seen = []

        async def take(delivery: LeasedJob) -> Outcome:
            seen.append(delivery.job)
            return Done()

        async with running(PostgresQueue(database, lease=BRIEF), take):
            await until(lambda: seen)
        assert seen == [job]


HANGING = """
import asyncio, sys
from datetime import timedelta
from adapters.outbound.postgres.pool import connect
from adapters.outbound.postgres.queue import PostgresQueue

async def hang(delivery):
    print("taken", flush=True)
    await asyncio.Event().wait()

async def main():
    async with connect(sys.argv[1], least=1, most=4) as database:
        await PostgresQueue(database, lease=timedelta(milliseconds=400)).run(hang)

asyncio.run(main())
"""


@pytest.mark.parametrize("late", [Again(timedelta(days=1), "late"), Dead("late"), Done()])
async def test_a_worker_that_lost_its_job_to_another_has_no_say_in_it_any_more(
    database: Database, late: Outcome
) -> None:
    queue = PostgresQueue(database)
    await put(database)
    (first,) = await queue.take(9)
    await database.execute("UPDATE jobs SET due_at = now()")
    (second,) = await queue.take(9)
    await queue.settle(first, late)
    await queue.put_back(first)
    assert await noted(database) == [("leased", 2, None)]
    assert not await queue.holds(first.job.account_id, first.lease)
    await queue.settle(second, Done())
    assert await noted(database) == []


async def test_a_lease_is_renewed_while_its_job_is_being_done(database: Database) -> None:
    await put(database)
    held, deliveries = asyncio.Event(), []

    async def take_long(delivery: LeasedJob) -> Outcome:
        deliveries.append(delivery)
        await held.wait()
        return Done()

    ends = "SELECT due_at FROM jobs"
    async with running(PostgresQueue(database, lease=BRIEF, idle=BRIEF / 20), take_long):
        await until(lambda: deliveries)
        first = (await database.first(ends))[0]
        async with asyncio.timeout(10):
            while (await database.first(ends))[0] <= first + 2 * BRIEF:  # noqa: ASYNC110 - PostgreSQL sets no event
                await asyncio.sleep(0.02)
        held.set()
    assert len(deliveries) == 1


async def test_a_lease_can_be_asked_for_and_is_renewed_by_asking(database: Database) -> None:
    queue = PostgresQueue(database)
    await put(database)
    (leased,) = await queue.take(1)
    ends = "SELECT due_at FROM jobs"
    before = (await database.first(ends))[0]
    assert await queue.holds(leased.job.account_id, leased.lease)
    assert (await database.first(ends))[0] > before
    assert not await queue.holds(AccountId(uuid4()), leased.lease)


async def test_a_yes_that_took_too_long_is_none_and_the_lease_stays(database: Database) -> None:
    await put(database)
    queue = PostgresQueue(database)
    (leased,) = await queue.take(1)
    with pytest.raises(StoreUnavailable):
        await replace(queue, lease=timedelta(microseconds=3)).holds(leased.job.account_id, leased.lease)
    assert await queue.holds(leased.job.account_id, leased.lease)


async def test_a_job_cut_short_by_the_end_of_its_worker_waits_for_the_next(database: Database) -> None:
    job = await put(database)
    held = asyncio.Event()

    async def hang(_: LeasedJob) -> Outcome:
        held.set()
        await asyncio.Event().wait()
        return Done()

    async with running(PostgresQueue(database, grace=timedelta()), hang):
        await held.wait()
    assert await noted(database) == [("waiting", 0, None)]
    seen = []

    async def take(delivery: LeasedJob) -> Outcome:
        seen.append(delivery.job)
        return Done()

    async with running(PostgresQueue(database), take):
        await until(lambda: seen, 2)
    assert seen == [job]


async def test_a_job_may_finish_after_the_queue_was_cancelled(database: Database) -> None:
    await put(database)
    held, finished = asyncio.Event(), []

    async def finish(_: LeasedJob) -> Outcome:
        held.set()
        await asyncio.sleep(0.2)
        finished.append(True)
        return Done()

    async with running(PostgresQueue(database), finish):
        await held.wait()
    assert finished == [True]
    assert await PostgresQueue(database).waiting() == 0
