"""A queue in memory."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from typing_extensions import override

from adapters.outbound.memory.system import HandClock
from application.ports.backlog import HORIZON, QueuedWork
from application.ports.jobs import (
    ERASURE_JOB,
    Again,
    Dead,
    Done,
    Handle,
    Job,
    JobLease,
    LeasedJob,
    Outcome,
    Queue,
    QueuedJob,
)
from application.ports.store import JobGone
from domain.kernel import AccountId

ENOUGH = 10_000
"""Deliveries after which `drain` takes the work for endless."""


@dataclass(slots=True, eq=False)
class _Waiting:
    job: Job
    id: UUID
    queued_at: datetime
    due: datetime
    attempt: int = 0
    token: int = 0
    leased: bool = False
    failure: str | None = None

    @property
    def lease(self) -> JobLease:
        return JobLease(self.id, self.token)


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job given up, and why."""

    job: Job
    code: str


class MemoryQueue(Queue):
    """`Queue` in a list; delays run by the hand clock. The store puts jobs in and ends them as part of its commits.

    A knob for the worst that a real queue does: the answers of the next `lose_answers` deliveries are lost, as if the
    worker had died after the work, and those jobs come again. `lapse` is the other half: the lease passes to somebody
    else while its worker still works.
    """

    def __init__(self, clock: HandClock) -> None:
        """Begin empty."""
        self.lose_answers = 0
        self.dead: list[DeadJob] = []
        self._clock = clock
        self._jobs: list[_Waiting] = []
        self._serial = count(1)
        self._news = asyncio.Event()
        clock.watch(self._news.set)

    @override
    async def run(self, handle: Handle) -> None:
        while True:
            self._news.clear()
            while (waiting := self._due()) is not None:
                await self._deliver(waiting, handle)
            await self._news.wait()

    async def drain(self, handle: Handle) -> int:
        """Deliver what is due by now, and what that calls for, until nothing is; return the number of deliveries.

        Raises RuntimeError when there is no end to it.
        """
        for delivered in range(ENOUGH):
            waiting = self._due()
            if waiting is None:
                return delivered
            await self._deliver(waiting, handle)
        raise RuntimeError("The work has no end.")

    @override
    async def holds(self, account_id: AccountId, lease: JobLease) -> bool:
        return any(
            waiting.leased and (waiting.job.account_id, waiting.lease) == (account_id, lease)
            for waiting in self._jobs
        )

    @override
    async def shift(self, by: timedelta) -> None:
        for waiting in self._jobs:
            waiting.due -= by
        self._news.set()

    @override
    async def recall(self, beyond: timedelta, limit: int) -> int:
        now = self._clock.now()
        far = [waiting for waiting in self._jobs if waiting.due > now + beyond][:limit]
        for waiting in far:
            waiting.due = now
        self._news.set()
        return len(far)

    @override
    async def all_of(self, name: str) -> list[QueuedJob]:
        alive = [
            QueuedJob(
                one.job.account_id, "leased" if one.leased else "waiting", one.queued_at, one.due, one.attempt,
                one.failure,
            )
            for one in self._jobs
            if one.job.name == name
        ]  # fmt: skip
        now = self._clock.now()
        dead = [
            QueuedJob(one.job.account_id, "dead", now, now, 0, one.code)
            for one in self.dead
            if one.job.name == name
        ]
        return sorted([*alive, *dead], key=lambda one: one.queued_at)

    @override
    async def waiting(self) -> int:
        return len(self._jobs)

    def work(self) -> list[QueuedWork]:
        """Return how much there is to do within the horizon, by name."""
        now, by_name = self._clock.now(), dict[str, list[_Waiting]]()
        for one in self._jobs:
            if one.due <= now + HORIZON:
                by_name.setdefault(one.job.name, []).append(one)
        return [
            QueuedWork(
                name,
                due=sum(one.due <= now and not one.leased for one in jobs),
                later=sum(one.due > now or one.leased for one in jobs),
                late=max([timedelta(), *(now - one.due for one in jobs if not one.leased)]),
                age=now - min(one.queued_at for one in jobs),
            )
            for name, jobs in sorted(by_name.items())
        ]

    def failing(self) -> Counter[str]:
        """Return how many jobs within the horizon failed when they were tried last, by code."""
        until = self._clock.now() + HORIZON
        return Counter(one.failure for one in self._jobs if one.failure is not None and one.due <= until)

    def take(self, name: str) -> JobLease:
        """Lease the one job of this name to the caller, who then plays its worker. Raises ValueError."""
        [waiting] = [waiting for waiting in self._jobs if waiting.job.name == name and not waiting.leased]
        waiting.token, waiting.leased = waiting.token + 1, True
        return waiting.lease

    def lapse(self, lease: JobLease) -> None:
        """Pass the lease to somebody else while its worker still works. Raises JobGone."""
        waiting = self._held(lease, None)
        waiting.leased, waiting.attempt = False, waiting.attempt + 1
        self._news.set()

    # What the store needs. None of it waits, so that a commit is one step.

    def put(self, jobs: Iterable[Job]) -> None:
        """Queue jobs."""
        now = self._clock.now()
        self._jobs += [_Waiting(job, UUID(int=next(self._serial)), now, now + job.delay) for job in jobs]
        self._news.set()

    def end(self, lease: JobLease, account_id: AccountId) -> None:
        """Note that the job, which is about this account, is done. Raises JobGone."""
        self._jobs.remove(self._held(lease, account_id))

    def must_hold(self, lease: JobLease, account_id: AccountId) -> None:
        """Raise JobGone unless the lease on a job about this account is still its worker's."""
        self._held(lease, account_id)

    def count(self, account_id: AccountId) -> int:
        """Return how many jobs name this account, dead ones included, the one that erases it apart."""
        jobs = [*(waiting.job for waiting in self._jobs), *(dead.job for dead in self.dead)]
        return sum(job.account_id == account_id and job.name != ERASURE_JOB for job in jobs)

    def delete(self, account_id: AccountId) -> int:
        """Delete every job that names this account, dead ones included, the one that erases it apart."""
        before = self.count(account_id)

        def stays(job: Job) -> bool:
            return job.account_id != account_id or job.name == ERASURE_JOB

        self._jobs[:] = [waiting for waiting in self._jobs if stays(waiting.job)]
        self.dead[:] = [dead for dead in self.dead if stays(dead.job)]
        return before

    def _held(self, lease: JobLease, account_id: AccountId | None) -> _Waiting:
        for waiting in self._jobs:
            if waiting.leased and waiting.lease == lease and account_id in {None, waiting.job.account_id}:
                return waiting
        raise JobGone

    # Delivery

    def _due(self) -> _Waiting | None:
        ready = (waiting for waiting in self._jobs if not waiting.leased and waiting.due <= self._clock.now())
        return min(ready, key=lambda waiting: waiting.due, default=None)

    async def _deliver(self, waiting: _Waiting, handle: Handle) -> None:
        waiting.token += 1
        waiting.leased, lease = True, waiting.lease
        outcome: Outcome = Again(timedelta(), "worker_died")
        try:
            await asyncio.sleep(0)  # others get their turn, also when there is always something due
            answer = await handle(LeasedJob(waiting.job, lease, waiting.attempt, waiting.queued_at))
            if self.lose_answers:
                self.lose_answers -= 1
            else:
                outcome = answer
        finally:
            if waiting in self._jobs and waiting.leased and waiting.lease == lease:
                self._settle(waiting, outcome)

    def _settle(self, waiting: _Waiting, outcome: Outcome) -> None:
        match outcome:
            case Done():
                self._jobs.remove(waiting)
            case Again(delay=delay, code=failure):
                waiting.failure = failure
                waiting.leased, waiting.due = False, self._clock.now() + delay
                waiting.attempt += 1
            case Dead(code=code):
                self._jobs.remove(waiting)
                self.dead.append(DeadJob(waiting.job, code))
