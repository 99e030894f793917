"""What both stores share: a transaction is private copies plus a list of pending writes, flushed as one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import ParamSpec, TypeVar

from application.ports.jobs import Job
from application.ports.store import VersionConflict
from application.ports.system import Ids
from application.reactions import react
from domain.audit import AuditEntry
from domain.kernel import Aggregate, AuditId, ExportId

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 10
"""Lost races before a use case gives up. Each loss means that somebody else succeeded."""


@dataclass(slots=True)
class PendingWrites:
    """Everything one commit will do. Stores read it when the unit of work ends, and only then."""

    ids: Ids
    saved: list[Aggregate] = field(default_factory=list)
    removed: list[Aggregate] = field(default_factory=list)
    required_unchanged: list[Aggregate] = field(default_factory=list)
    exports_emptied: list[ExportId] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)

    def save(self, aggregate: Aggregate) -> None:
        """See `Tx.save`."""
        if not any(aggregate is other for other in self.saved):
            self.saved.append(aggregate)
        self._collect(aggregate)

    def remove(self, aggregate: Aggregate) -> None:
        """See `Tx.remove`."""
        self.removed.append(aggregate)
        self._collect(aggregate)

    def require_unchanged(self, aggregate: Aggregate) -> None:
        """See `Tx.require_unchanged`."""
        self.required_unchanged.append(aggregate)

    def queue(self, job: Job) -> None:
        """See `Tx.queue`."""
        self.jobs.append(job)

    def remove_parts(self, export_id: ExportId) -> None:
        """See `Tx.remove_parts`."""
        self.exports_emptied.append(export_id)

    def _collect(self, aggregate: Aggregate) -> None:
        for event in aggregate.collect():
            self.jobs.extend(react(event))
            entry = AuditEntry.of(event, AuditId(self.ids.random_id()), self.ids.random_bytes())
            if entry is not None:
                self.audit.append(entry)


def retry_on_version_conflict(use_case: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Run a use case again when it lost a race: it reads afresh and decides afresh."""

    @wraps(use_case)
    async def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for lost in range(TRIES - 1):
            try:
                return await use_case(*args, **kwargs)
            except VersionConflict:
                if lost:  # a crowd: spread out
                    await asyncio.sleep(random.random() * 0.004 * lost)  # noqa: S311 - needs no secrecy
        return await use_case(*args, **kwargs)

    return run
