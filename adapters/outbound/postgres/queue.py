"""The queue on PostgreSQL: pgqueuer's machinery, kept from noting content and from losing jobs.

A job is queued by the flush (flush.py) and, where its effect is a commit, ended by one. What pgqueuer does afterwards
about a row that is gone comes to nothing. A job that was only begun, because its worker was killed or lost the
database, is picked again when its heartbeat is older than `heartbeat`.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self, cast
from uuid import UUID

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.tm import TaskManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as PickedJob
from pgqueuer.domain.models import TableChangedEvent, TracebackRecord
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import JOB_STATUS, QueueEntrypoint
from pgqueuer.qm import QueueManager

from adapters.outbound.postgres.pool import Database
from application.ports.jobs import Again, Dead, Delivery, Done, Handle, Job, JobKind, Outcome
from application.ports.store import StoreUnavailable
from domain.kernel import AccountId

PAUSE = 0.25
"""Seconds between two attempts to reach a database that does not answer."""
ECHO = 0.005
"""Seconds within which rings are answered together."""
BATCH = 16
AT_ONCE = 64
"""Jobs in the hands of one process."""
CRASHED = Again(timedelta(minutes=1), "crashed")
"""A handler that raised in spite of its contract: what it raised may hold anything, so it is not looked at."""

# The defaults would be read from the environment, by which anyone could point the queue at other tables.
_NAMES = DBSettings.model_construct()
_CHANGED = TableChangedEvent(
    channel=_NAMES.channel,
    sent_at=datetime.now(UTC),
    type="table_changed_event",
    operation="insert",
    table="pgqueuer",
).model_dump_json()
_CODE = re.compile(r"[a-z0-9_]{1,64}\Z")

# It logs what exceptions say, and notices as they come. Outcomes are the business of who handles jobs.
logging.getLogger("pgqueuer").disabled = True


class GivenUp(Exception):
    """A job was given up; the argument is the code that says why."""


class _Driver:
    """pgqueuer's way to the database. Notices never leave the process, so no connection is kept to listen on."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: list[Callable[[str], None]] = []
        self._ringing: asyncio.TimerHandle | None = None
        self.shutdown = asyncio.Event()
        self.tm = TaskManager()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        return [dict(row) for row in await self._database.fetch(query, *args)]

    async def execute(self, query: str, *args: object) -> str:
        return str(await self._database.execute(query, *args))

    async def notify(self, channel: str, payload: str) -> None:
        for listener in self._listeners:
            listener(payload)

    async def add_listener(self, channel: str, callback: Callable[[str], None]) -> None:
        self._listeners.append(callback)

    def bell(self) -> None:
        if self._ringing is None:
            self._ringing = asyncio.get_running_loop().call_later(ECHO, self._ring)

    def _ring(self) -> None:
        self._ringing = None
        for listener in self._listeners:
            listener(_CHANGED)

    async def __aenter__(self) -> Self:
        self._database.bells.add(self.bell)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._database.bells.discard(self.bell)
        if self._ringing is not None:
            self._ringing.cancel()


class _Queries(Queries):
    """pgqueuer's statements, about jobs that are still in our hands; what it notes of a failure is cut to a code."""

    async def retry_job(
        self, job: PickedJob, delay: timedelta, traceback_record: TracebackRecord | None
    ) -> None:
        """Put a job off. Without the database it stays picked, and comes again when its heartbeat is old."""
        with suppress(StoreUnavailable):
            if await self._held([job]):
                await super().retry_job(job, delay, _code_only(traceback_record))
        self._hands_are_free()

    async def log_jobs(self, job_status: list[tuple[PickedJob, JOB_STATUS, TracebackRecord | None]]) -> None:
        """Note how jobs ended. One that our own shutdown cut short did not end: it goes back."""
        held = await self._held([job for job, _, _ in job_status])
        noted = [(job, status, _code_only(record)) for job, status, record in job_status if job.id in held]
        if cut_short := [job.id for job, status, _ in noted if status == "canceled"]:
            await self.driver.execute(_PUT_BACK, cut_short)
        if ended := [entry for entry in noted if entry[1] != "canceled"]:
            await super().log_jobs(ended)
        self._hands_are_free()

    async def eligible_queued_work(self, entrypoints: list[QueueEntrypoint]) -> int:
        """Leave the question to the next poll, which is near."""
        return 0

    async def next_deferred_eta(self, entrypoints: list[QueueEntrypoint]) -> timedelta | None:
        """See eligible_queued_work."""
        return timedelta.max

    def _hands_are_free(self) -> None:
        """Have the queue looked at again: there may have been too few hands for what is in it."""
        cast("_Driver", self.driver).bell()

    async def _held(self, jobs: list[PickedJob]) -> set[object]:
        """Return which of these jobs, all picked by one worker, were neither ended nor given to another since."""
        rows = await self.driver.fetch(_HELD, [job.id for job in jobs], jobs[0].queue_manager_id)
        return {row["id"] for row in rows}


_HELD = "SELECT id FROM pgqueuer WHERE id = ANY($1::bigint[]) AND status = 'picked' AND queue_manager_id = $2"
_PUT_BACK = """
    UPDATE pgqueuer SET status = 'queued', updated = now(), queue_manager_id = NULL WHERE id = ANY($1::bigint[])
"""


def _code_only(record: TracebackRecord | None) -> TracebackRecord | None:
    if record is None:
        return None
    code = record.exception_message if _CODE.match(record.exception_message) else "unnamed"
    return record.model_copy(update={"exception_message": code, "traceback": "", "additional_context": None})


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
        """See `Queue.run`. An outage of the database is waited out."""
        while True:
            with suppress(StoreUnavailable):
                await self._run(handle)
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
        manager = QueueManager(
            _Queries(
                _Driver(self.database), QueryBuilderEnvironment(_NAMES), QueryQueueBuilder(_NAMES),
                QuerySchedulerBuilder(_NAMES),
            ),
            channel=_NAMES.channel,
        )  # fmt: skip
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
            outcome = await _outcome(handle, Delivery(job, picked.id, picked.attempts))
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


async def _outcome(handle: Handle, delivery: Delivery) -> Outcome:
    with suppress(Exception):
        return await handle(delivery)
    return CRASHED
