"""The queue on PostgreSQL: a table of jobs, sharded by account, each done under a lease.

What is due is found by a plain read and claimed account by account, so no lock spans accounts. A lease is an end
(`due_at`, when the job is looked at again) and a token, which rises with each lease: whoever holds an older one ends
nothing. A job whose effect is a commit is deleted inside that commit (see flush.py), so the effect happens once. One
that was only begun, because its worker was killed or lost the database, is leased again when its lease has run out.
What went wrong is noted as a code, never as an exception's text.

There is no NOTIFY: inside the hot commit it left 0.64 of the throughput. Commits wake the queue of their own process;
others poll.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import structlog
from typing_extensions import override

from adapters.outbound.postgres import job_statements as sql
from adapters.outbound.postgres.pool import Database
from application.ports.jobs import (
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
from application.ports.store import StoreUnavailable, VersionConflict
from domain.kernel import AccountId

log = structlog.get_logger()

PAUSE = 0.25
"""Seconds between two attempts to reach a database that does not answer."""
ECHO = 0.005
"""Seconds within which several commits wake the queue once."""
BATCH = 64
"""The most jobs looked for at once."""
SLOTS = 64
"""The most jobs that one process does at the same time."""
CRASHED = Again(timedelta(minutes=1), "crashed")
"""A handler that raised in spite of its contract: what it raised may hold anything, so it is not looked at."""
_CODE = re.compile(r"[a-z0-9_]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class PostgresQueue(Queue):
    """`Queue` on the store's database, which it asks for work every `idle`, and whenever a commit wakes it.

    A lease lasts `lease`, and is renewed while its job is being done; it must be longer than any pause of the event
    loop, or a living worker's job is given to another: harmless, but work done twice, since only one can end it.
    `grace` is how long jobs may take to finish once the queue is cancelled; then they are cut short and put back.
    """

    database: Database
    idle: timedelta = timedelta(milliseconds=250)
    lease: timedelta = timedelta(seconds=30)
    grace: timedelta = timedelta(seconds=10)

    @override
    async def run(self, handle: Handle) -> None:
        worker = _Worker(self, handle)
        self.database.wakers.add(worker.news.set)
        try:
            await worker.work()
        finally:
            self.database.wakers.discard(worker.news.set)
            await worker.finish()

    @override
    async def holds(self, account_id: AccountId, lease: JobLease) -> bool:
        asked_at = monotonic()
        renewed = await self.database.execute(sql.RENEW, account_id, lease.job_id, lease.token, self.lease)
        if monotonic() - asked_at > self.lease.total_seconds() / 3:
            raise StoreUnavailable  # whatever it says was so too long ago
        return renewed == 1

    @override
    async def shift(self, by: timedelta) -> None:
        while not await self._shifted(by):
            continue
        self.database.wake()

    async def _shifted(self, by: timedelta) -> bool:
        """Move them all; or none, where this and a worker waited for each other: the worker goes on."""
        try:
            await self.database.execute(sql.SHIFT, by)
        except VersionConflict:
            return False
        return True

    @override
    async def recall(self, beyond: timedelta, limit: int) -> int:
        far = await self.database.fetch(sql.FAR, beyond, limit)
        return sum([await self.database.execute(sql.RECALL, *each, beyond) for each in far])

    @override
    async def all_of(self, name: str) -> list[QueuedJob]:
        return [QueuedJob(*row) for row in await self.database.fetch(sql.ALL_OF, name)]

    @override
    async def waiting(self) -> int:
        return int((await self.database.first(sql.WAITING))[0])

    async def due(self, limit: int) -> list[tuple[UUID, UUID]]:
        """Look, without locking, for up to `limit` jobs that are due, the longest due first: account and id of each."""
        return [tuple(row) for row in await self.database.fetch(sql.DUE, limit)]

    async def take(self, limit: int) -> list[LeasedJob]:
        """Lease up to `limit` jobs that are due, the longest due first. Raises StoreUnavailable."""
        return await self.claim(await self.due(limit))

    async def claim(self, due: Iterable[tuple[UUID, UUID]]) -> list[LeasedJob]:
        """Lease those of these jobs that are still due, account by account. Raises StoreUnavailable."""
        by_account = defaultdict[UUID, list[UUID]](list)
        for account_id, job_id in due:
            by_account[account_id].append(job_id)
        accounts = list(by_account.items())
        random.shuffle(accounts)  # so that two workers who see the same jobs do not meet at each of them
        claims = await asyncio.gather(*(self._claim(*each) for each in accounts), return_exceptions=True)
        failed = [claim for claim in claims if isinstance(claim, BaseException)]
        taken = [leased for claim in claims if not isinstance(claim, BaseException) for leased in claim]
        if failed and not taken:
            raise failed[0]
        return taken

    async def settle(self, leased: LeasedJob, outcome: Outcome) -> None:
        """Note what came of a job. What was ended by its commit, or leased to another since, is left alone."""
        mine = leased.job.account_id, leased.lease.job_id, leased.lease.token
        if leased.lease.job_id in self.database.ended:
            return  # to say so again would be one statement in nine of a message that is sent
        match outcome:
            case Done():
                await self.database.execute(sql.DONE, *mine)
            case Again(delay, code):
                await self.database.execute(sql.AGAIN, *mine, delay, _noted(code))
            case Dead(code):
                await self.database.execute(sql.DEAD, *mine, _noted(code))

    async def put_back(self, leased: LeasedJob) -> None:
        """Give up a lease without having tried: the job is due at once, and no attempt is counted."""
        await self.database.execute(
            sql.PUT_BACK, leased.job.account_id, leased.lease.job_id, leased.lease.token
        )

    async def _claim(self, account_id: UUID, job_ids: Sequence[UUID]) -> list[LeasedJob]:
        return [_leased(AccountId(account_id), row) for row in await self.database.fetch(
            sql.CLAIM, account_id, job_ids, self.lease
        )]  # fmt: skip


def _leased(account_id: AccountId, row: Any) -> LeasedJob:  # noqa: ANN401 - a row
    job_id, name, subject, attempts, token, queued_at = row
    return LeasedJob(Job(name, account_id, subject), JobLease(job_id, token), attempts - 1, queued_at)


def _noted(code: str) -> str:
    return code if _CODE.match(code) else "unnamed"


@dataclass(eq=False, slots=True)
class _Worker:
    """One run of a queue: the jobs under way, and the news that there may be more."""

    queue: PostgresQueue
    handle: Handle
    news: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: dict[asyncio.Task[None], LeasedJob] = field(default_factory=dict)

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
                    log.error("queue failed", error=type(error).__name__)
                    await asyncio.sleep(PAUSE)
        finally:
            renewing.cancel()

    async def finish(self) -> None:
        """Let what is under way finish within the grace; cut the rest short, which puts it back."""
        try:
            if self.under_way:
                await asyncio.wait(self.under_way, timeout=self.queue.grace.total_seconds())
        finally:
            for task in self.under_way:
                task.cancel()
            if self.under_way:
                await asyncio.wait(self.under_way)

    async def _round(self) -> None:
        """Start what is due; then wait for news, unless there is more than was looked at."""
        self.news.clear()
        free = min(SLOTS - len(self.under_way), BATCH)
        due = await self.queue.due(free) if free else []
        for leased in await self._claimed(due):
            task = asyncio.create_task(self._do(leased))
            self.under_way[task] = leased
            task.add_done_callback(self._done)
        if len(due) < free or not free:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.queue.idle.total_seconds()):
                    await self.news.wait()
                    await asyncio.sleep(ECHO)

    async def _claimed(self, due: list[tuple[UUID, UUID]]) -> list[LeasedJob]:
        """Claim jobs. Cancelled meanwhile, put back what was claimed."""
        claiming = asyncio.create_task(self.queue.claim(due))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            for leased in await claiming:
                await self._note(self.queue.put_back(leased))
            raise

    def _done(self, task: asyncio.Task[None]) -> None:
        if len(self.under_way) == SLOTS:
            self.news.set()
        self.queue.database.ended.discard(self.under_way.pop(task).lease.job_id)

    async def _do(self, leased: LeasedJob) -> None:
        outcome: Outcome
        try:
            outcome = await self.handle(leased)
        except asyncio.CancelledError:
            await self._note(self.queue.put_back(leased))
            return
        except Exception:  # noqa: BLE001 - what it raised may hold anything, so it is not looked at
            outcome = CRASHED
        await self._note(self.queue.settle(leased, outcome))

    async def _note(self, noting: Any) -> None:  # noqa: ANN401 - a coroutine
        try:
            await noting
        except StoreUnavailable:
            log.warning("outcome not noted")  # the lease runs out, and the job comes again
        except Exception as error:  # noqa: BLE001 - the other jobs must go on
            log.error("outcome not noted", error=type(error).__name__)

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(self.queue.lease.total_seconds() / 3)
            for leased in list(self.under_way.values()):
                await self._note(self.queue.holds(leased.job.account_id, leased.lease))
