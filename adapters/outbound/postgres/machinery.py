"""pgqueuer's way to our database: what it may note, and what it may not lose."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Self, cast

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.tm import TaskManager
from pgqueuer.domain.models import Job as PickedJob
from pgqueuer.domain.models import TableChangedEvent, TracebackRecord
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import JOB_STATUS, QueueEntrypoint

from adapters.outbound.postgres.pool import Database
from application.ports.store import StoreUnavailable

ECHO = 0.005
"""Seconds within which rings are answered together."""

# The defaults would be read from the environment, by which anyone could point the queue at other tables.
NAMES = DBSettings.model_construct()
_CHANGED = TableChangedEvent(
    channel=NAMES.channel,
    sent_at=datetime.now(UTC),
    type="table_changed_event",
    operation="insert",
    table="pgqueuer",
).model_dump_json()
_CODE = re.compile(r"[a-z0-9_]{1,64}\Z")

# It logs what exceptions say, and notices as they come. Outcomes are the business of who handles jobs.
logging.getLogger("pgqueuer").disabled = True


def queries(database: Database) -> Queries:
    """Return what a queue manager works with."""
    return _Queries(
        _Driver(database), QueryBuilderEnvironment(NAMES), QueryQueueBuilder(NAMES), QuerySchedulerBuilder(NAMES)
    )  # fmt: skip


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
