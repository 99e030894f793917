"""What a job asks right before every write to a provider: whether it is still the one that does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from application.ports.jobs import JobLease, Queue
from application.ports.store import JobGone
from domain.kernel import AccountId

Hold = Callable[[], Awaitable[None]]
"""Raises JobGone when the job is not this worker's any more: nothing may be written then. Repeating is harmless."""


@dataclass(frozen=True, slots=True)
class HoldOfJob:
    """A worker's hold on the job it does. A commit is fenced by the lease itself; what a provider was told is not."""

    queue: Queue
    account_id: AccountId
    lease: JobLease

    async def __call__(self) -> None:
        """Renew the lease. Raises JobGone when it is another worker's, StoreUnavailable. Repeating is harmless."""
        if not await self.queue.holds(self.account_id, self.lease):
            raise JobGone
