"""Jobs put into the queue on PostgreSQL, a run of it, and what its statements look at."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.queue import PostgresQueue
from application.ports.jobs import Handle, Job
from domain.kernel import AccountId


async def put(database: Database, name: str = "send_message", delay: timedelta = timedelta()) -> Job:
    """Queue a job as a commit would, but without waking anybody."""
    job = Job(name, AccountId(uuid4()), uuid4())
    await database.execute(
        "INSERT INTO jobs (account_id, id, name, subject, due_at) VALUES ($1, $2, $3, $4, now() + $5::interval)",
        job.account_id, uuid4(), name, job.subject, delay,
    )  # fmt: skip
    return job


async def noted(database: Database) -> list[tuple[object, ...]]:
    """Return what is noted of every job: state, attempts, failure."""
    return [tuple(row) for row in await database.fetch("SELECT state::text, attempts, failure FROM jobs")]


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


async def explained(database: Database, statement: str, *values: object) -> dict[str, Any]:
    """Return the plan by which PostgreSQL ran a statement."""
    row = await database.first(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values)
    plan: dict[str, Any] = json.loads(row[0])[0]["Plan"]
    return plan


async def pages(database: Database, statement: str, *values: object) -> int:
    """Return how many pages a statement looked at: an index, however large, costs a few."""
    plan = await explained(database, statement, *values)
    assert "Seq Scan" not in str(plan) or plan["Shared Hit Blocks"] < 5, plan
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
