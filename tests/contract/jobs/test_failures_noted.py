"""What is noted of a job that failed: a code, and nothing of what it was about."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.queue import PostgresQueue
from application.ports.jobs import Again, Dead, LeasedJob, Outcome
from tests.support.queueing import noted, put, running, until

SECRET = "meet me at +15551234567"


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
