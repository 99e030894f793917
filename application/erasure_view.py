"""The use case of seeing which erasures are under way, and what holds them up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from application.erasure_step import ErasureStep
from application.ports.clock import Clock
from application.ports.jobs import ERASURE_JOB, Queue
from application.ports.ledger import ErasureLedger, Fingerprint
from application.ports.store import Store
from domain.kernel import AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureUnderWay:
    """One erasure that is not finished."""

    fingerprint: bytes
    """What the ledger knows the account by."""
    account_id: AccountId | None
    """None where no job is left that would go on with it: the ledger alone knows of it."""
    state: str
    """`waiting`, `leased` (a worker is at it), `dead` (set aside), or `lost`, when no job is there."""
    step: str
    """The step that is next."""
    age: timedelta
    """Since it was queued, or since its intent was recorded."""
    attempts: int
    failure: str | None
    """The code of what went wrong at the last attempt."""
    due_at: datetime | None
    """When it is tried again."""


@dataclass(frozen=True, slots=True)
class ListErasures:
    """Shows an operator every erasure that has begun and has no receipt yet, the oldest first."""

    steps: tuple[ErasureStep, ...]
    store: Store
    queue: Queue
    ledger: ErasureLedger
    fingerprint: Fingerprint
    clock: Clock

    async def __call__(self) -> list[ErasureUnderWay]:
        """Return them. Repeating is harmless."""
        now, names = self.clock.now(), tuple(step.name for step in self.steps)
        found: dict[bytes, ErasureUnderWay] = {}
        for job in await self.queue.all_of(ERASURE_JOB):
            fingerprint = await self.fingerprint(job.account_id)
            checkpoint = await self.store.erasure(job.account_id)
            remaining = names if checkpoint is None else checkpoint.remaining(names)
            found[fingerprint] = ErasureUnderWay(
                fingerprint=fingerprint,
                account_id=job.account_id,
                state=job.state,
                step=remaining[0] if remaining else "receipt",
                age=now - job.queued_at,
                attempts=job.attempts,
                failure=job.failure,
                due_at=job.due_at,
            )
        for intent in await self.ledger.pending():
            if intent.fingerprint not in found:
                found[intent.fingerprint] = ErasureUnderWay(
                    fingerprint=intent.fingerprint, account_id=None, state="lost", step="unknown",
                    age=now - intent.at, attempts=0, failure=None, due_at=None,
                )  # fmt: skip
        return sorted(found.values(), key=lambda one: one.age, reverse=True)
