"""What a wrong clock does to jobs, put right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from application.ports.jobs import Queue
from application.purge import Purge, PurgeResult

FARTHEST = timedelta(days=8)
"""A day longer than any job is put off: none that is due in time is called back, however clocks disagree."""


@dataclass(frozen=True, slots=True)
class RecallJobs(Purge):
    """Brings back jobs that are due farther ahead than any job is put off.

    They were put off, or leased, while the database's clock was ahead: nobody would do them for as long as it was.
    """

    name: ClassVar[str] = "jobs_recalled"

    queue: Queue

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Make up to `limit` of them due. Repeating is harmless."""
        return PurgeResult(await self.queue.recall(FARTHEST, limit))
