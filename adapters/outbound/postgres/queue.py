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
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from typing_extensions import override

from adapters.outbound.postgres import job_statements as sql
from adapters.outbound.postgres.places import EVERY_JOB, DueJob, Places
from adapters.outbound.postgres.pool import Database
from adapters.outbound.postgres.queue_run import QueueRun
from adapters.outbound.postgres.renewal import must_be_recent
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
from application.ports.store import VersionConflict
from domain.kernel import AccountId

_CODE = re.compile(r"[a-z0-9_]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class PostgresQueue(Queue):
    """`Queue` on the store's database, which it asks for work every `idle`, and whenever a commit wakes it.

    A lease lasts `lease`, and is renewed while its job is being done; it must be longer than any pause of the event
    loop, or a living worker's job is given to another: harmless, but work done twice, since only one can end it.
    `grace` is how long jobs may take to finish once the queue is cancelled; then they are cut short and put back.
    Jobs that ask one provider take no more of the `places` than one may have; the others go on, in their order.
    """

    database: Database
    idle: timedelta = timedelta(milliseconds=250)
    lease: timedelta = timedelta(seconds=30)
    grace: timedelta = timedelta(seconds=10)
    places: Places = EVERY_JOB

    @override
    async def run(self, handle: Handle) -> None:
        run = QueueRun(self, handle)
        self.database.wakers.add(run.news.set)
        try:
            await run.work()
        finally:
            self.database.wakers.discard(run.news.set)
            await run.finish()

    @override
    async def holds(self, account_id: AccountId, lease: JobLease) -> bool:
        asked_at = monotonic()
        renewed = await self.database.execute(sql.RENEW, account_id, lease.job_id, lease.token, self.lease)
        must_be_recent(asked_at, self.lease)
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

    async def due(self, limit: int, names: Sequence[str] | None = None) -> list[DueJob]:
        """Look, without locking, for up to `limit` jobs that are due (of these names), the longest due first."""
        asked = (sql.DUE, limit) if names is None else (sql.DUE_OF, limit, names)
        return [DueJob(*row) for row in await self.database.fetch(*asked)]

    async def take(self, limit: int) -> list[LeasedJob]:
        """Lease up to `limit` jobs that are due, the longest due first. Raises StoreUnavailable."""
        return await self.claim(await self.due(limit))

    async def claim(self, due: Iterable[DueJob]) -> list[LeasedJob]:
        """Lease those of these jobs that are still due, account by account. Raises StoreUnavailable."""
        by_account = defaultdict[UUID, list[UUID]](list)
        for job in due:
            by_account[job.account_id].append(job.id)
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
        return [_leased(AccountId(account_id), row, self.lease) for row in await self.database.fetch(
            sql.CLAIM, account_id, job_ids, self.lease
        )]  # fmt: skip


def _leased(account_id: AccountId, row: Any, lasts: timedelta) -> LeasedJob:  # noqa: ANN401 - a row
    job_id, name, subject, attempts, token, queued_at = row
    return LeasedJob(Job(name, account_id, subject), JobLease(job_id, token, lasts), attempts - 1, queued_at)


def _noted(code: str) -> str:
    return code if _CODE.match(code) else "unnamed"
