"""A queue in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.outbound.memory.system import HandClock
from application.ports.jobs import Again, Dead, Done, Handle, Job, LeasedJob, Outcome
from application.ports.store import JobGone
from domain.kernel import AccountId

ENOUGH = 10_000
"""Deliveries after which `drain` takes the work for endless."""


@dataclass(slots=True, eq=False)
class _Waiting:
    job: Job
    due: datetime
    attempt: int = 0
    lease: int | None = None


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job given up, and why."""

    job: Job
    code: str


class MemoryQueue:
    """`Queue` in a list; delays run by the hand clock. The store puts jobs in and ends them as part of its commits.

    A knob for the worst that a real queue does: the answers of the next `lose_answers` deliveries are lost, as if the
    worker had died after the work, and those jobs come again. `lapse` is the other half: the job goes to somebody
    else while its worker still works.
    """

    def __init__(self, clock: HandClock) -> None:
        """Begin empty."""
        self.lose_answers = 0
        self.dead: list[DeadJob] = []
        self._clock = clock
        self._jobs: list[_Waiting] = []
        self._ended: list[datetime] = []
        self._leases = 0
        self._news = asyncio.Event()
        clock.watch(self._news.set)

    async def run(self, handle: Handle) -> None:
        """See `Queue.run`."""
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

    async def shift(self, by: timedelta) -> None:
        """See `Queue.shift`."""
        for waiting in self._jobs:
            waiting.due -= by
        self._news.set()

    async def waiting(self) -> int:
        """See `Queue.waiting`."""
        return len(self._jobs)

    async def purge_log(self, keep: timedelta) -> int:
        """See `Queue.purge_log`. Only the instant at which each job ended is noted."""
        kept = [ended for ended in self._ended if self._clock.now() - ended <= keep]
        purged, self._ended = len(self._ended) - len(kept), kept
        return purged

    def lapse(self, lease: int) -> None:
        """Give the job to somebody else while its worker still works. Raises JobGone."""
        waiting = self.held(lease)
        waiting.lease, waiting.attempt = None, waiting.attempt + 1
        self._news.set()

    # What the store needs. None of it waits, so that a commit is one step.

    def put(self, jobs: Iterable[Job]) -> None:
        """Queue jobs."""
        now = self._clock.now()
        self._jobs += [_Waiting(job, now + job.delay) for job in jobs]
        self._news.set()

    def held(self, lease: int) -> _Waiting:
        """Return what is held under this lease. Raises JobGone."""
        for waiting in self._jobs:
            if waiting.lease == lease:
                return waiting
        raise JobGone

    def end(self, lease: int, account_id: AccountId) -> None:
        """Note that the job, which is about this account, is done. Raises JobGone."""
        waiting = self.held(lease)
        if waiting.job.account_id != account_id:
            raise JobGone
        self._jobs.remove(waiting)
        self._ended.append(self._clock.now())

    def count(self, account_id: AccountId) -> int:
        """Return how many jobs name this account, dead ones included."""
        jobs = [*(waiting.job for waiting in self._jobs), *(dead.job for dead in self.dead)]
        return sum(job.account_id == account_id for job in jobs)

    def delete(self, account_id: AccountId) -> int:
        """Forget every job that names this account, dead ones included; return how many."""
        before = self.count(account_id)
        self._jobs[:] = [waiting for waiting in self._jobs if waiting.job.account_id != account_id]
        self.dead[:] = [dead for dead in self.dead if dead.job.account_id != account_id]
        return before

    # LeasedJob

    def _due(self) -> _Waiting | None:
        ready = (
            waiting for waiting in self._jobs if waiting.lease is None and waiting.due <= self._clock.now()
        )
        return min(ready, key=lambda waiting: waiting.due, default=None)

    async def _deliver(self, waiting: _Waiting, handle: Handle) -> None:
        self._leases += 1
        lease = waiting.lease = self._leases
        outcome: Outcome = Again(timedelta(), "worker_died")
        try:
            await asyncio.sleep(0)  # others get their turn, also when there is always something due
            answer = await handle(LeasedJob(waiting.job, lease, waiting.attempt))
            if self.lose_answers:
                self.lose_answers -= 1
            else:
                outcome = answer
        finally:
            if waiting in self._jobs and waiting.lease == lease:
                self._settle(waiting, outcome)

    def _settle(self, waiting: _Waiting, outcome: Outcome) -> None:
        match outcome:
            case Done():
                self._jobs.remove(waiting)
                self._ended.append(self._clock.now())
            case Again(delay=delay):
                waiting.lease, waiting.due = None, self._clock.now() + delay
                waiting.attempt += 1
            case Dead(code=code):
                self._jobs.remove(waiting)
                self.dead.append(DeadJob(waiting.job, code))
