"""What every store shares: pending writes, flushed as one; and the retry of a lost race."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from application.jobs import jobs_for
from application.live_kinds import TOLD
from application.ports.ids import Ids
from application.ports.jobs import Job, JobLease
from application.ports.limits import Charge
from application.ports.store import Tx, VersionConflict
from domain.audit import AUDITED, AuditEntry, AuditKind
from domain.idempotency import IdempotencyRecord, Operation
from domain.kernel import AccountId, Aggregate, AuditId, Event, ExportId, IdempotencyRecordId
from domain.live import LiveEvent

T = TypeVar("T", bound=Tx)
R = TypeVar("R")

TRIES = 10
"""Lost races before an update gives up. Each loss means that somebody else succeeded."""


@dataclass(slots=True)
class PendingWrites:
    """Everything one commit will do. Stores read it when the unit of work ends, and only then."""

    account_id: AccountId
    ids: Ids
    saved: list[Aggregate] = field(default_factory=list)
    removed: list[Aggregate] = field(default_factory=list)
    required_unchanged: list[Aggregate] = field(default_factory=list)
    exports_emptied: list[ExportId] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    live: list[LiveEvent] = field(default_factory=list)
    charge: Charge | None = None
    held: JobLease | None = None

    def save(self, aggregate: Aggregate) -> None:
        """Note an aggregate to insert or update, and what its events call for."""
        if not any(aggregate is other for other in self.saved):
            self.saved.append(aggregate)
        self._collect(aggregate)

    def remove(self, aggregate: Aggregate) -> None:
        """Note an aggregate to delete, and what its events call for."""
        self.removed.append(aggregate)
        self._collect(aggregate)

    def require_unchanged(self, aggregate: Aggregate) -> None:
        """Note an aggregate whose row must still be as it was read."""
        self.required_unchanged.append(aggregate)

    def idempotent(self, operation: Operation, resource_id: UUID, expires_at: datetime) -> None:
        """Note what an operation made."""
        record_id = IdempotencyRecordId(self.ids.new())
        self.save(IdempotencyRecord.of(self.account_id, record_id, operation, resource_id, expires_at))

    def never_again(self, operation: Operation) -> None:
        """Note that an operation was done, under an id that does not tell when."""
        record_id = IdempotencyRecordId(self.ids.random_id())
        self.save(IdempotencyRecord.of(self.account_id, record_id, operation))

    def note(self, kind: AuditKind, subject: UUID, at: datetime) -> None:
        """Note an audit entry about what changes no aggregate."""
        self._log(Event(account_id=self.account_id, subject=subject, at=at), kind)

    def queue(self, job: Job) -> None:
        """Note a job that no event calls for."""
        self.jobs.append(job)

    def take(self, charge: Charge) -> None:
        """Note what the commit takes of a limit."""
        self.charge = charge

    def hold(self, lease: JobLease) -> None:
        """Note the lease that the commit renews."""
        self.held = lease

    def _collect(self, aggregate: Aggregate) -> None:
        for event in aggregate.collect():
            self.jobs.extend(jobs_for(event))
            kind = AUDITED.get(type(event))
            if kind is not None:
                self._log(event, kind)
            told = TOLD.get(type(event))
            if told is not None and not any(
                (one.kind, one.subject) == (told, event.subject) for one in self.live
            ):
                made = self.ids.new()
                self.live.append(LiveEvent.of(self.account_id, made, told, event.subject, event.at))

    def _log(self, event: Event, kind: AuditKind) -> None:
        self.audit.append(AuditEntry.of(event, kind, AuditId(self.ids.new()), self.ids.random_bytes()))


class RetriedUpdates(ABC, Generic[T]):
    """Gives a store its `update`: a unit of work that is run again when it lost a race."""

    @abstractmethod
    def begin(
        self, account_id: AccountId, *, completing: JobLease | None = None
    ) -> AbstractAsyncContextManager[T]:
        """Open one unit of work."""
        ...

    async def update(
        self,
        account_id: AccountId,
        change: Callable[[T], Awaitable[R]],
        *,
        completing: JobLease | None = None,
    ) -> R:
        """Run `change` in a unit of work and commit; after a lost race, again on fresh copies, `TRIES` times."""
        lost = 0
        while True:
            try:
                async with self.begin(account_id, completing=completing) as tx:
                    return await change(tx)
            except VersionConflict:
                lost += 1
                if lost == TRIES:
                    raise
                # Many writers at once: wait for a random time, so that they do not collide in step.
                if lost > 1:
                    await asyncio.sleep(random.random() * 0.004 * lost)  # noqa: S311 - needs no secrecy
