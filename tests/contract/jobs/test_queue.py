"""The queue on PostgreSQL beyond its contract: when a job is found, in which order, and what that costs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg

from adapters.outbound.postgres import erasing, job_statements
from adapters.outbound.postgres.places import PLACES
from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.queue import PostgresQueue
from application.ports.jobs import ERASURE_JOB, Done, Job, LeasedJob, Outcome
from tests.contract.conftest import Postgres
from tests.support.queueing import pages, put, running, until

LONG = timedelta(hours=1)


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
