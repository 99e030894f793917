"""The queue on PostgreSQL: pgqueuer's machinery, kept from noting content and from losing jobs.

A job is queued by the flush (flush.py) and, where its effect is a commit, ended by one. What pgqueuer does afterwards
about a row that is gone comes to nothing. A job that was only begun, because its worker was killed or lost the
database, is picked again when its heartbeat is older than `heartbeat`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import structlog
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as PickedJob
from pgqueuer.qm import QueueManager

from adapters.outbound.postgres.machinery import NAMES, queries
from adapters.outbound.postgres.pool import Database
from application.ports.jobs import Again, Dead, Done, Handle, Job, JobKind, LeasedJob, Outcome
from application.ports.store import StoreUnavailable
from domain.kernel import AccountId

log = structlog.get_logger()

PAUSE = 0.25
"""Seconds between two attempts to reach a database that does not answer."""
BATCH = 16
AT_ONCE = 64
"""Jobs in the hands of one process."""
CRASHED = Again(timedelta(minutes=1), "crashed")
"""A handler that raised in spite of its contract: what it raised may hold anything, so it is not looked at."""


class GivenUp(Exception):
    """A job was given up; the argument is the code that says why."""


@dataclass(frozen=True, slots=True)
class PostgresQueue:
    """`Queue` on the store's database, which it asks for work every `idle`, and whenever a commit rings.

    `heartbeat` must be longer than any pause of the event loop, or a living worker's job is given to another; that
    does no harm but work done twice, since only one of them can end it. `grace` is how long jobs may take to finish
    once the queue is cancelled; then they are cut short and wait for the next worker.
    """

    database: Database
    idle: timedelta = timedelta(milliseconds=250)
    heartbeat: timedelta = timedelta(seconds=30)
    grace: timedelta = timedelta(seconds=10)

    async def run(self, handle: Handle) -> None:
        """See `Queue.run`. An outage of the database is waited out; anything else is noted, and does not end it."""
        while True:
            try:
                await self._run(handle)
            except StoreUnavailable:
                log.warning("queue waits for the database")
            except Exception as error:  # noqa: BLE001 - jobs must go on, whatever stopped them once
                log.error("queue failed", error=type(error).__name__)
            await asyncio.sleep(PAUSE)

    async def shift(self, by: timedelta) -> None:
        """See `Queue.shift`."""
        await self.database.execute(
            "UPDATE pgqueuer SET execute_after = execute_after - $1::interval WHERE status = 'queued'", by
        )
        self.database.ring()

    async def waiting(self) -> int:
        """See `Queue.waiting`."""
        row = await self.database.first("SELECT count(*) FROM pgqueuer WHERE status IN ('queued', 'picked')")
        return int(row[0])

    async def purge_log(self, keep: timedelta) -> int:
        """See `Queue.purge_log`."""
        return await self.database.execute(
            "DELETE FROM pgqueuer_log WHERE created < now() - $1::interval", keep
        )

    async def _run(self, handle: Handle) -> None:
        manager = QueueManager(queries(self.database), channel=NAMES.channel)
        manager.queue_manager_id = self.database.worker  # type: ignore[assignment]  # a name for the same kind of id
        delivering = set[asyncio.Task[Any]]()
        for kind in JobKind:
            manager.entrypoint(kind, on_failure="hold", accepts_context=False)(
                _entrypoint(handle, delivering)
            )
        running = asyncio.create_task(
            manager.run(
                dequeue_timeout=self.idle, batch_size=BATCH, max_concurrent_tasks=AT_ONCE,
                heartbeat_timeout=self.heartbeat, log_aggregation_interval=timedelta(),
            )
        )  # fmt: skip
        try:
            await asyncio.shield(running)
        finally:
            manager.shutdown.set()
            try:
                await asyncio.wait({running}, timeout=self.grace.total_seconds())
            finally:
                for task in delivering:
                    task.cancel()
                await asyncio.wait({running})


def _entrypoint(handle: Handle, delivering: set[asyncio.Task[Any]]) -> Callable[[PickedJob], Awaitable[None]]:
    async def deliver(picked: PickedJob) -> None:
        job = Job(JobKind(picked.entrypoint), *_ids(picked.payload))
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        delivering.add(task)
        try:
            outcome = await _outcome(handle, LeasedJob(job, picked.id, picked.attempts))
        finally:
            delivering.discard(task)
        # Raised here and not where it went wrong, so that nothing of what went wrong hangs on it.
        match outcome:
            case Again(delay, code):
                raise RetryRequested(delay, code)
            case Dead(code):
                raise GivenUp(code)
            case Done():
                pass

    return deliver


def _ids(payload: bytes | None) -> tuple[AccountId, UUID]:
    both = payload or b""
    return AccountId(UUID(bytes=both[:16])), UUID(bytes=both[16:])


async def _outcome(handle: Handle, delivery: LeasedJob) -> Outcome:
    with suppress(Exception):
        return await handle(delivery)
    return CRASHED
