"""Work that outlives a request: queued in the very commit that calls for it, done at least once, ended exactly once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from domain.kernel import AccountId

WAKE_DEVICE = "wake_device"
"""The job that wakes one device, for a message that came in."""
DELIVER_WEBHOOK = "deliver_webhook"
"""The job that tells one endpoint of one event. The store queues it, in the commit of the event."""
ERASURE_JOB = "erase_account"
"""The job that erases an account outlives the account's rows; it goes when it is done."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done (the name of a job type), for whom, about which subject. Ids only: it never holds content."""

    name: str
    account_id: AccountId
    subject: UUID
    delay: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class JobLease:
    """A worker's hold on a job. `token` rises with each lease of the job: an older one ends nothing (fencing token).

    It ends the job inside the commit of its effect (`Store.update(…, completing=lease)`). `lasts`: for how long it is
    renewed.
    """

    job_id: UUID
    token: int
    lasts: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class LeasedJob:
    """A job and the worker's hold on it. `attempt` counts from 0; `queued_at` is when it was first queued."""

    job: Job
    lease: JobLease
    attempt: int
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more to do."""


@dataclass(frozen=True, slots=True)
class Again:
    """To be tried again after `delay`. `code` says why, without content."""

    delay: timedelta
    code: str


@dataclass(frozen=True, slots=True)
class Dead:
    """Given up after many attempts; kept aside for a person to look at. `code` says why, without content."""

    code: str


Outcome = Done | Again | Dead
Handle = Callable[[LeasedJob], Awaitable[Outcome]]
"""Never raises: what went wrong is in the outcome, as a code."""


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job as it stands, for a person to look at."""

    account_id: AccountId
    state: str
    """`waiting`, `leased` or `dead`."""
    queued_at: datetime
    due_at: datetime
    """When it is looked at next: its time, or the end of its lease."""
    attempts: int
    failure: str | None
    """The code of the last failure."""


class Queue(Protocol):
    """Where committed jobs wait."""

    async def run(self, handle: Handle) -> None:
        """Lease jobs and hand them over until cancelled. A job whose worker dies is leased again."""
        ...

    async def holds(self, account_id: AccountId, lease: JobLease) -> bool:
        """Tell whether the lease is still this worker's, and if so renew it. Repeating is harmless.

        Asked right before a write to a provider: a yes is good for longer than such a write may take. Raises
        StoreUnavailable when there was no answer in time.
        """
        ...

    async def shift(self, by: timedelta) -> None:
        """Bring every waiting job nearer by `by` (the Sandbox's clock was moved)."""
        ...

    async def recall(self, beyond: timedelta, limit: int) -> int:
        """Make up to `limit` jobs due that would not be for longer than `beyond`; return how many there were.

        Raises StoreUnavailable. Repeating is harmless.
        """
        ...

    async def all_of(self, name: str) -> list[QueuedJob]:
        """Return every job of this name, dead ones too, the oldest first. Repeating is harmless."""
        ...

    async def waiting(self) -> int:
        """Return how many jobs wait or run. Dead ones do not count."""
        ...
