"""One run of the queue on PostgreSQL: a process's places, the jobs in them, and when it looks for more."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from adapters.error_report import report
from adapters.outbound.postgres.places import PLACES, DueJob
from application.ports.jobs import Again, Handle, LeasedJob, Outcome
from application.ports.store import StoreUnavailable

if TYPE_CHECKING:
    from adapters.outbound.postgres.queue import PostgresQueue

log = structlog.get_logger()

PAUSE = 0.25
"""Seconds between two attempts to reach a database that does not answer."""
ECHO = 0.005
"""Seconds within which several commits wake the queue once."""
CRASHED = Again(timedelta(minutes=1), "crashed")
"""A handler that raised in spite of its contract: what it raised may hold anything, so it is not looked at."""


@dataclass(eq=False, slots=True)
class QueueRun:
    """One run of a queue: the jobs under way, and the news that there may be more."""

    queue: PostgresQueue
    handle: Handle
    news: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: dict[asyncio.Task[None], LeasedJob] = field(default_factory=dict)
    turns: dict[str, float] = field(default_factory=dict)
    """When the next job of a kind that is spaced out may begin."""
    waiting: set[UUID] = field(default_factory=set)
    """Those under way that wait for their turn, and have not begun."""

    async def work(self) -> None:
        """Take jobs until cancelled. An outage is waited out; anything else is noted, and does not end it."""
        renewing = asyncio.create_task(self._keep_renewing())
        try:
            while True:
                try:
                    await self._round()
                except StoreUnavailable:
                    log.warning("queue waits for the database")
                    await asyncio.sleep(PAUSE)
                except Exception as error:  # noqa: BLE001 - jobs must go on, whatever stopped them once
                    report(error, "queue failed")
                    await asyncio.sleep(PAUSE)
        finally:
            renewing.cancel()

    async def finish(self) -> None:
        """Let what has begun finish within the grace; cut the rest short, which puts it back."""
        for task, leased in self.under_way.items():
            if leased.lease.job_id in self.waiting:
                task.cancel()
        try:
            if self.under_way:
                await asyncio.wait(self.under_way, timeout=self.queue.grace.total_seconds())
        finally:
            for task in self.under_way:
                task.cancel()
            if self.under_way:
                await asyncio.wait(self.under_way)

    async def _round(self) -> None:
        """Start what is due; then wait for news, unless there is more than was looked at, or than found a place."""
        self.news.clear()
        names, places = self._names(), self.queue.places
        free = PLACES - len(names)
        due = await self.queue.due(free, places.open_to(names)) if free else []
        begun = places.begun(due, names)
        for leased in await self._claimed(begun):
            task = asyncio.create_task(self._do(leased))
            self.under_way[task] = leased
            task.add_done_callback(self._done)
        if not free or len(begun) == len(due) < free:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.queue.idle.total_seconds()):
                    await self.news.wait()
                    await asyncio.sleep(ECHO)

    def _names(self) -> list[str]:
        return [leased.job.name for leased in self.under_way.values()]

    async def _claimed(self, due: list[DueJob]) -> list[LeasedJob]:
        """Claim jobs. Cancelled meanwhile, put back what was claimed."""
        claiming = asyncio.create_task(self.queue.claim(due))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            for leased in await claiming:
                await self._note(self.queue.put_back(leased))
            raise

    def _done(self, task: asyncio.Task[None]) -> None:
        before = self._names()
        leased = self.under_way.pop(task)
        if len(before) == PLACES or self.queue.places.made_room(before, leased.job.name):
            self.news.set()
        self.queue.database.ended.discard(leased.lease.job_id)

    async def _do(self, leased: LeasedJob) -> None:
        outcome: Outcome
        try:
            await self._turn(leased)
            outcome = await self.handle(leased)
        except asyncio.CancelledError:
            await self._note(self.queue.put_back(leased))
            return
        except Exception as error:  # noqa: BLE001 - the other jobs must go on
            report(error, "job failed", job=leased.job.name)
            outcome = CRASHED
        await self._note(self.queue.settle(leased, outcome))

    async def _turn(self, leased: LeasedJob) -> None:
        """Wait until a job of its kind may begin."""
        name = leased.job.name
        if (every := self.queue.places.every.get(name)) is None:
            return
        now = asyncio.get_running_loop().time()
        turn = max(now, self.turns.get(name, now))
        self.turns[name] = turn + every.total_seconds()
        self.waiting.add(leased.lease.job_id)
        try:
            await asyncio.sleep(turn - now)
        finally:
            self.waiting.discard(leased.lease.job_id)

    async def _note(self, noting: Any) -> None:  # noqa: ANN401 - a coroutine
        try:
            await noting
        except StoreUnavailable:
            log.warning("outcome not noted")  # the lease runs out, and the job comes again
        except Exception as error:  # noqa: BLE001 - the other jobs must go on
            report(error, "outcome not noted")

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(self.queue.lease.total_seconds() / 3)
            for leased in list(self.under_way.values()):
                await self._note(self.queue.holds(leased.job.account_id, leased.lease))
