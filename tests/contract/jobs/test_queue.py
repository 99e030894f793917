"""The queue on PostgreSQL beyond its contract: killed workers, lost databases, cut-short jobs, and what is noted."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from adapters.outbound.postgres import erasing, job_statements
from adapters.outbound.postgres.places import PLACES
from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.queue import PostgresQueue
from application.ports.jobs import ERASURE_JOB, Again, Dead, Done, Job, LeasedJob, Outcome
from application.ports.store import StoreUnavailable
from domain.kernel import AccountId
from tests.contract.conftest import Postgres
from tests.support.queueing import pages, put, running, until

SECRET = "meet me at +15551234567"
BRIEF, LONG = timedelta(milliseconds=400), timedelta(hours=1)
ROOT = Path(__file__).parents[3]


async def noted(database: Database) -> list[tuple[object, ...]]:
    """Return what is noted of every job: state, attempts, failure."""
    return [tuple(row) for row in await database.fetch("SELECT state::text, attempts, failure FROM jobs")]


async def done(_: LeasedJob) -> Outcome:
    return Done()


@contextmanager
def overheard() -> Iterator[list[logging.LogRecord]]:
    """Hear everything that any logger lets through."""
    records: list[logging.LogRecord] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    ear, root = Ear(), logging.getLogger()
    root.addHandler(ear)
    try:
        yield records
    finally:
        root.removeHandler(ear)


async def test_a_handler_that_raises_in_spite_of_its_contract_leaves_no_content_behind(
    database: Database,
) -> None:
    await put(database)
    calls = []

    async def blunder(delivery: LeasedJob) -> Outcome:
        calls.append(delivery)
        raise RuntimeError(SECRET)

    with overheard() as records:
        async with running(PostgresQueue(database), blunder):
            await until(lambda: calls)
            await until_noted(database, [("waiting", 1, "crashed")])
    assert records == []
    assert await noted(database) == [("waiting", 1, "crashed")]
    assert SECRET not in str([tuple(row) for row in await database.fetch("SELECT * FROM jobs")])
    (later,) = await database.first("SELECT due_at > now() + '30 s' FROM jobs")
    assert later


async def test_what_was_given_up_is_kept_aside_under_its_code_alone(database: Database) -> None:
    await put(database)

    async def give_up(_: LeasedJob) -> Outcome:
        return Dead("number_unknown")

    with overheard() as records:
        async with running(PostgresQueue(database), give_up):
            await until_noted(database, [("dead", 1, "number_unknown")])
    assert records == []


async def test_a_code_that_is_not_one_is_not_noted(database: Database) -> None:
    await put(database)

    async def chatter(_: LeasedJob) -> Outcome:
        return Again(timedelta(hours=1), SECRET)

    async with running(PostgresQueue(database), chatter):
        await until_noted(database, [("waiting", 1, "unnamed")])


async def until_noted(database: Database, expected: list[tuple[object, ...]]) -> None:
    async with asyncio.timeout(10):
        while await noted(database) != expected:  # noqa: ASYNC110 - PostgreSQL sets no event
            await asyncio.sleep(0.005)


async def test_a_commit_wakes_the_queue_long_before_the_next_poll(database: Database) -> None:
    seen = []

    async def take(delivery: LeasedJob) -> Outcome:
        seen.append(delivery.job)
        return Done()

    async with running(PostgresQueue(database, idle=LONG), take):
        await until(lambda: database.wakers)
        job = await put(database)
        database.wake()
        await until(lambda: seen)
    assert seen == [job]


async def test_slots_that_become_free_take_the_next_job(database: Database) -> None:
    jobs = {await put(database) for _ in range(PLACES * 3)}
    seen = set()

    async def take(delivery: LeasedJob) -> Outcome:
        await asyncio.sleep(0.05)
        seen.add(delivery.job)
        return Done()

    async with running(PostgresQueue(database, idle=LONG), take):
        await until(lambda: seen == jobs)


async def test_without_being_woken_a_job_is_found_by_polling(database: Database) -> None:
    seen = []

    async def take(delivery: LeasedJob) -> Outcome:
        seen.append(delivery.job)
        return Done()

    async with running(PostgresQueue(database), take):
        await until(lambda: database.wakers)
        job = await put(database)
        await until(lambda: seen, 2)
    assert seen == [job]


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


async def test_an_outage_of_the_database_is_waited_out(postgres: Postgres) -> None:
    dsn = await postgres.database("outage")
    async with connect(dsn, least=1, most=4) as database:
        seen = []

        async def take(delivery: LeasedJob) -> Outcome:
            seen.append(delivery.job)
            return Done()

        async with running(PostgresQueue(database), take) as task:
            await put(database)
            await until(lambda: seen)
            async with postgres.hidden(dsn):
                await asyncio.sleep(0.6)
            assert not task.done()
            job = await put(database)
            await until(lambda: len(seen) == 2)
            assert seen[1] == job


async def test_many_jobs_are_done_once_each_by_two_workers(postgres: Postgres) -> None:
    dsn = await postgres.database("many")
    async with connect(dsn, least=1, most=4) as one, connect(dsn, least=1, most=4) as two:
        jobs = {await put(one) for _ in range(150)}
        seen: list[Job] = []

        async def take(delivery: LeasedJob) -> Outcome:
            seen.append(delivery.job)
            return Done()

        async with running(PostgresQueue(one), take), running(PostgresQueue(two), take):
            await until(lambda: len(seen) >= 150, 30)
            await asyncio.sleep(0.3)
        assert len(seen) == 150
        assert set(seen) == jobs
        assert await PostgresQueue(one).waiting() == 0


async def test_dead_jobs_do_not_wait_and_delayed_ones_do(database: Database) -> None:
    queue = PostgresQueue(database)
    await put(database, delay=timedelta(hours=1))
    dead = await put(database)
    await database.execute("UPDATE jobs SET state = 'dead' WHERE account_id = $1", dead.account_id)
    assert await queue.waiting() == 1


async def test_a_shifted_job_is_delivered_at_once(database: Database) -> None:
    await put(database, "delete_carrier_copy", timedelta(hours=48))
    seen: list[UUID] = []

    async def take(delivery: LeasedJob) -> Outcome:
        seen.append(delivery.job.subject)
        return Done()

    queue = PostgresQueue(database)
    async with running(queue, take):
        await until(lambda: database.wakers)
        assert await queue.take(1) == seen == []
        await queue.shift(timedelta(hours=48))
        await until(lambda: seen, 2)


async def test_a_shift_that_meets_another_statement_head_on_is_made_all_the_same(database: Database) -> None:
    first, second = [await put(database, delay=timedelta(hours=1)) for _ in range(2)]
    touch = "UPDATE jobs SET due_at = due_at WHERE account_id = $1"
    other = await asyncpg.connect(database.dsn)
    await other.execute("SET deadlock_timeout = '1min'")  # the shift is whom PostgreSQL refuses
    try:
        for mine, then in (
            (first, second),
            (second, first),
        ):  # one of the two meets it, in whichever order it goes
            async with other.transaction():
                await other.execute(touch, mine.account_id)
                shifting = asyncio.create_task(PostgresQueue(database).shift(timedelta(minutes=30)))
                await asyncio.sleep(0.2)
                await other.execute(touch, then.account_id)
            await asyncio.wait_for(shifting, 10)
    finally:
        await other.close()
    assert {leased.job for leased in await PostgresQueue(database).take(9)} == {first, second}


async def test_jobs_are_taken_in_the_order_in_which_they_fell_due(database: Database) -> None:
    queue = PostgresQueue(database)
    late, early = (
        await put(database, delay=timedelta(hours=-1)),
        await put(database, delay=timedelta(hours=-2)),
    )
    await put(database, delay=timedelta(hours=1))
    assert [leased.job for leased in await queue.take(1)] == [early]
    assert [leased.job for leased in await queue.take(9)] == [late]
    assert await queue.take(9) == []


async def test_what_is_looked_at_does_not_grow_with_what_is_put_off(database: Database) -> None:
    account_id = (await put(database)).account_id
    asked: dict[str, list[object]] = {
        job_statements.DUE: [64],
        job_statements.DUE_OF: [64, ["send_message"]],
        job_statements.CLAIM: [account_id, [uuid4()], timedelta(seconds=30)],
        job_statements.RENEW: [account_id, uuid4(), 1, timedelta(seconds=30)],
        erasing.COUNT: [account_id, ERASURE_JOB],
    }
    few = [await pages(database, statement, *values) for statement, values in asked.items()]
    await database.fetch(
        "INSERT INTO jobs (account_id, id, name, subject, due_at) SELECT gen_random_uuid(), gen_random_uuid(),"
        " 'delete_carrier_copy', gen_random_uuid(), now() + n * interval '1 s' FROM generate_series(60, 20000) n"
    )
    await database.fetch("ANALYZE jobs")
    many = [await pages(database, statement, *values) for statement, values in asked.items()]
    assert all(after <= before + 3 for before, after in zip(few, many, strict=True)), (few, many)
