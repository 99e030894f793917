"""A job's lease in PostgreSQL: it can pass on, and a commit renews it or ends the job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.outbound.postgres.pool import Database
from application.ports.jobs import Done, Job, JobLease, LeasedJob, Outcome
from application.ports.store import JobGone, StoreUnavailable
from tests.contract.conftest import Postgres
from tests.contract.store.test_postgres import PostgresWorld, fresh


@pytest.fixture
async def world(postgres: Postgres) -> AsyncIterator[PostgresWorld]:
    async with fresh(postgres) as made:
        yield made


async def test_a_lease_that_passed_on_ends_nothing(world: PostgresWorld) -> None:
    job = await one_job(world)
    (first,) = await world.queue.take(1)
    await world.database.execute("UPDATE jobs SET due_at = now()")  # the first worker was silent for too long
    (second,) = await world.queue.take(1)
    assert (second.job, second.lease.job_id) == (job, first.lease.job_id)
    assert second.lease.token > first.lease.token
    before = await world.traces(job.account_id)
    with pytest.raises(JobGone):
        await end(world, first)
    assert await world.traces(job.account_id) == before
    assert not await world.queue.holds(job.account_id, first.lease)
    assert await world.queue.holds(job.account_id, second.lease)
    await end(world, second)
    assert await world.queue.waiting() == 0


async def test_a_commit_that_holds_a_job_renews_its_lease_and_says_so_in_time(world: PostgresWorld) -> None:
    job = await one_job(world)
    (leased,) = await world.queue.take(1)
    ends = "SELECT due_at - now() FROM jobs"
    for lasts in (timedelta(hours=1), timedelta(hours=2)):
        async with world.store.begin(job.account_id) as tx:
            tx.hold(replace(leased.lease, lasts=lasts))
        assert timedelta() < lasts - (await world.database.first(ends))[0] < timedelta(minutes=5)
    with pytest.raises(StoreUnavailable):
        async with world.store.begin(job.account_id) as tx:
            tx.hold(replace(leased.lease, lasts=timedelta(microseconds=3)))


async def test_a_job_that_was_not_leased_cannot_be_ended(world: PostgresWorld) -> None:
    job = await one_job(world)
    row = await world.database.first("SELECT id, token FROM jobs")
    with pytest.raises(JobGone):
        await end(world, LeasedJob(job, JobLease(*row), 0, world.clock.now()))
    assert await world.queue.waiting() == 1


async def test_a_job_that_its_commit_has_ended_costs_no_further_statement(
    world: PostgresWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, execute, began = [], Database.execute, asyncio.Event()

    async def noted(database: Database, statement: str, *values: object) -> int:
        asked.append(statement)
        return await execute(database, statement, *values)

    async def handle(delivery: LeasedJob) -> Outcome:
        await end(world, delivery)
        began.set()
        return Done()

    await one_job(world)
    monkeypatch.setattr(Database, "execute", noted)
    running = asyncio.create_task(world.queue.run(handle))
    await asyncio.wait_for(began.wait(), world.patience)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await world.queue.waiting() == 0
    assert asked == []
    assert world.database.ended == set(), "what is over is not remembered"


async def one_job(world: PostgresWorld) -> Job:
    account_id = await world.account()
    line = world.ordered_line(account_id)
    await world.commit(account_id, line)
    await world.queue.shift(timedelta(hours=1))
    return Job("complete_purchase", account_id, line.id)


async def end(world: PostgresWorld, delivery: LeasedJob) -> None:
    async with world.store.begin(delivery.job.account_id, completing=delivery.lease) as tx:
        tx.save(world.new_line(delivery.job.account_id))
