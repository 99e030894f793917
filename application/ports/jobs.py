"""Work that outlives a request: queued in the very commit that calls for it, done at least once, ended exactly once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.kernel import AccountId


class JobKind(StrEnum):
    """What is to be done."""

    SEND_MESSAGE = "send_message"
    DELETE_CARRIER_COPY = "delete_carrier_copy"
    COMPLETE_PURCHASE = "complete_purchase"
    FINISH_RELEASE = "finish_release"
    PURGE_CONVERSATION = "purge_conversation"
    BUILD_EXPORT = "build_export"
    MAIL_VERIFY = "mail_verify"
    MAIL_KNOWN = "mail_known"
    MAIL_DELETION = "mail_deletion"
    MAIL_RECOVERED = "mail_recovered"
    MAIL_EXPORT = "mail_export"


@dataclass(frozen=True, slots=True)
class Job:
    """Ids only: a job can never leak content."""

    kind: JobKind
    account_id: AccountId
    subject: UUID
    delay: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class LeasedJob:
    """A job in a worker's hands. `attempt` counts from 0.

    `lease` ends the job inside the transaction of its effect (`Store.begin(..., completing=lease)`): if the queue has
    given the job to somebody else meanwhile, or it was ended before, that commit fails as a whole.
    """

    job: Job
    lease: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more to do."""


@dataclass(frozen=True, slots=True)
class Again:
    """To be delivered again after `delay`. `code` says why, without content."""

    delay: timedelta
    code: str


@dataclass(frozen=True, slots=True)
class Dead:
    """Given up after many attempts; kept aside for a person to look at. `code` says why, without content."""

    code: str


Outcome = Done | Again | Dead
Handle = Callable[[LeasedJob], Awaitable[Outcome]]
"""Never raises: what went wrong is in the outcome, as a code."""


class Queue(Protocol):
    """Where committed jobs wait."""

    async def run(self, handle: Handle) -> None:
        """Deliver jobs until cancelled. A job whose worker dies is delivered again."""
        ...

    async def shift(self, by: timedelta) -> None:
        """Bring every waiting job nearer by `by` (the Sandbox's clock was moved)."""
        ...

    async def waiting(self) -> int:
        """Return how many jobs wait or run. Dead ones do not count."""
        ...

    async def purge_log(self, keep: timedelta) -> int:
        """Forget what the queue noted of jobs that ended longer ago than `keep`; return how many notes went."""
        ...
