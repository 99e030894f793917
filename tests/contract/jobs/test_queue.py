"""The queue on PostgreSQL beyond its contract: killed workers, lost databases, cut-short jobs, and what is noted."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.queue import AT_ONCE, PostgresQueue
from application.ports.jobs import Again, Dead, Done, Handle, Job, JobKind, LeasedJob, Outcome
from domain.kernel import AccountId
from tests.contract.conftest import Postgres

SECRET = "meet me at +15551234567"
BRIEF, LONG = timedelta(milliseconds=400), timedelta(hours=1)
ROOT = Path(__file__).parents[3]


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    async with connect(await postgres.database("queue"), least=1, most=6) as opened:
        yield opened


async def put(
    database: Database, kind: JobKind = JobKind.SEND_MESSAGE, delay: timedelta = timedelta()
) -> Job:
    """Queue a job as a commit would, but quietly."""
    job = Job(kind, AccountId(uuid4()), uuid4())
    await database.execute(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, execute_after)"
        " VALUES (0, 'queued', $1, $2, now() + $3::interval)",
        kind, job.account_id.bytes + job.subject.bytes, delay,
    )  # fmt: skip
    return job


@asynccontextmanager
async def running(queue: PostgresQueue, handle: Handle) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(queue.run(handle))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


async def until(true: Callable[[], object], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)


async def done(_: LeasedJob) -> Outcome:
    return Done()


@contextmanager
def overheard() -> Iterator[list[logging.LogRecord]]:
    """Hear everything that any logger lets through."""
    records: list[logging.LogRecord] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    ear, root, pgqueuer = Ear(), logging.getLogger(), logging.getLogger("pgqueuer")
    for logger in (root, pgqueuer):
        logger.addHandler(ear)
    try:
        yield records
    finally:
        for logger in (root, pgqueuer):
            logger.removeHandler(ear)


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
            await asyncio.sleep(0.3)
    assert records == []
    rows = await database.fetch("SELECT status::text, traceback FROM pgqueuer_log ORDER BY id")
    assert [row[0] for row in rows] == ["picked", "queued"]
    noted = json.loads(rows[1]["traceback"])
    assert (noted["exception_message"], noted["traceback"], noted["additional_context"]) == (
        "crashed",
        "",
        None,
    )
    assert SECRET not in str([tuple(row) for row in await database.fetch("SELECT * FROM pgqueuer_log")])
    (job,) = await database.fetch("SELECT attempts, execute_after > now() + '30 s' AS later FROM pgqueuer")
    assert (job["attempts"], job["later"]) == (1, True)


async def test_what_was_given_up_is_kept_aside_under_its_code_alone(database: Database) -> None:
    await put(database)

    async def give_up(_: LeasedJob) -> Outcome:
        return Dead("number_unknown")

    with overheard() as records:
        async with running(PostgresQueue(database), give_up):
            await asyncio.sleep(0.5)
    assert records == []
    assert [row[0] for row in await database.fetch("SELECT status::text FROM pgqueuer")] == ["failed"]
    (noted,) = await database.fetch("SELECT traceback FROM pgqueuer_log WHERE status = 'failed'")
    assert json.loads(noted[0])["exception_message"] == "number_unknown"
    assert "File" not in noted[0]


async def test_a_code_that_is_not_one_is_not_noted(database: Database) -> None:
    await put(database)

    async def chatter(_: LeasedJob) -> Outcome:
        return Again(timedelta(hours=1), SECRET)

    async with running(PostgresQueue(database), chatter):
        await asyncio.sleep(0.4)
    (noted,) = await database.fetch("SELECT traceback FROM pgqueuer_log WHERE traceback IS NOT NULL")
    assert json.loads(noted[0])["exception_message"] == "unnamed"


async def test_a_ring_is_answered_long_before_the_next_poll(database: Database) -> None:
    seen = []

    async def take(delivery: LeasedJob) -> Outcome:
        seen.append(delivery.job)
        return Done()

    async with running(PostgresQueue(database, idle=LONG), take):
        await asyncio.sleep(0.3)
        job = await put(database)
        database.ring()
        await until(lambda: seen)
    assert seen == [job]


async def test_hands_that_become_free_take_the_next_job(database: Database) -> None:
    jobs = {await put(database) for _ in range(AT_ONCE * 3)}
    seen = set()

    async def take(delivery: LeasedJob) -> Outcome:
        await asyncio.sleep(0.05)
        seen.add(delivery.job)
        return Done()

    async with running(PostgresQueue(database, idle=LONG), take):
        await until(lambda: seen == jobs)


async def test_without_a_ring_a_job_is_found_by_polling(database: Database) -> None:
    seen = []

    async def take(delivery: LeasedJob) -> Outcome:
        seen.append(delivery.job)
        return Done()

    async with running(PostgresQueue(database), take):
        await asyncio.sleep(0.1)
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

        async with running(PostgresQueue(database, heartbeat=BRIEF), take):
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
        await PostgresQueue(database, heartbeat=timedelta(milliseconds=400)).run(hang)

asyncio.run(main())
"""


@pytest.mark.parametrize("late", [Again(timedelta(days=1), "late"), Dead("late"), Done()])
async def test_a_worker_that_lost_its_job_to_another_has_no_say_in_it_any_more(
    database: Database, late: Outcome
) -> None:
    await put(database)
    other, answered = uuid4(), []

    async def lose(delivery: LeasedJob) -> Outcome:
        # What the statement of another worker does that finds this one's heartbeat too old.
        await database.execute("UPDATE pgqueuer SET queue_manager_id = $1, heartbeat = now()", other)
        answered.append(delivery)
        return late

    async with running(PostgresQueue(database), lose):
        await until(lambda: answered)
        await asyncio.sleep(0.3)
    (row,) = await database.fetch("SELECT status::text, queue_manager_id, attempts FROM pgqueuer")
    assert tuple(row) == ("picked", other, 0)


async def test_a_job_cut_short_by_the_end_of_its_worker_waits_for_the_next(database: Database) -> None:
    job = await put(database)
    held = asyncio.Event()

    async def hang(_: LeasedJob) -> Outcome:
        held.set()
        await asyncio.Event().wait()
        return Done()

    async with running(PostgresQueue(database, grace=timedelta()), hang):
        await held.wait()
    assert [tuple(row) for row in await database.fetch("SELECT status::text, attempts FROM pgqueuer")] == [
        ("queued", 0)
    ]
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
    await database.execute(
        "UPDATE pgqueuer SET status = 'failed' WHERE payload = $1", dead.account_id.bytes + dead.subject.bytes
    )
    assert await queue.waiting() == 1


async def test_a_shifted_job_is_delivered_at_once(database: Database) -> None:
    await put(database, JobKind.DELETE_CARRIER_COPY, timedelta(hours=48))
    seen: list[UUID] = []

    async def take(delivery: LeasedJob) -> Outcome:
        seen.append(delivery.job.subject)
        return Done()

    queue = PostgresQueue(database)
    async with running(queue, take):
        await asyncio.sleep(0.4)
        assert seen == []
        await queue.shift(timedelta(hours=48))
        await until(lambda: seen, 2)


async def test_notes_are_purged_by_age(database: Database) -> None:
    queue = PostgresQueue(database)
    await put(database)
    async with running(queue, done):
        await asyncio.sleep(0.5)
    assert await queue.purge_log(timedelta(hours=1)) == 0
    assert await queue.purge_log(timedelta()) == 2
    assert await queue.purge_log(timedelta()) == 0


def test_the_environment_cannot_point_the_queue_elsewhere() -> None:
    code = (
        "from adapters.outbound.postgres.machinery import NAMES;"
        " print(NAMES.queue_table, NAMES.queue_table_log, NAMES.channel, NAMES.db_schema)"
    )
    hostile = {
        "PGQUEUER_PREFIX": "x",
        "PGQUEUER_QUEUE_TABLE": "y",
        "QUEUE_TABLE_LOG": "z",
        "PGQUEUER_SCHEMA": "w",
    }
    told = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **hostile}, cwd=ROOT, stdout=subprocess.PIPE, check=True
    )  # fmt: skip
    assert told.stdout.split() == [b"pgqueuer", b"pgqueuer_log", b"ch_pgqueuer", b"None"]
