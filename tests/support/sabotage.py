"""Values to swap into the product's tables so that a rule is switched off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapters.outbound.memory.store import MemoryStore
from application.erasure import DeleteRows, EraseAccount
from application.erasure_step import ErasureStep
from application.hold import Hold
from application.line_release import FinishRelease
from application.ports.jobs import JobLease
from application.ports.store import Tx
from application.purge import PurgeResult
from domain.erasure import NO_COUNTS, Erasure
from domain.kernel import AccountId, Aggregate, LineId
from domain.retention import Retention


def keeping(**periods: timedelta) -> Retention:
    """Return the retention rules with other periods, by the name of the rule."""
    honest = Retention()
    return replace(
        honest, **{name: replace(getattr(honest, name), keep=keep) for name, keep in periods.items()}
    )


@dataclass(frozen=True)
class SkippedStep:
    """A step of the erasure that does nothing and says that it is done."""

    name: str
    needs_keys: bool = False

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        return NO_COUNTS


@dataclass(frozen=True)
class SkippedPurge:
    """A purge that leaves everything where it is."""

    name: str

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        return PurgeResult(0)


class BelievesInRelease(FinishRelease):
    """Takes a release for done without asking again, and clears nothing up after it."""

    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        async def change(tx: Tx) -> None:
            line = await tx.lines.get(line_id)
            line.released(self.clock.now())
            tx.save(line)

        await self.store.update(account_id, change, completing=lease)


def skipped_step(name: str) -> Any:
    """Return what makes a skipped step where an honest one was to be made."""
    return lambda **_: SkippedStep(name)


async def skipped_job(*_ids: object) -> None:
    """Do a job by doing nothing."""


def skipping_job(**_: object) -> Any:
    """Return what does a job by doing nothing."""
    return skipped_job


@dataclass(frozen=True)
class ShiftedStep:
    """A step that thinks the erasure began `by` later than it did."""

    step: ErasureStep
    by: timedelta

    @property
    def name(self) -> str:
        return self.step.name

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        return await self.step.run(replace(erasure, began_at=erasure.began_at + self.by), hold)


def beginning(by: timedelta, step: Any) -> Any:
    """Return what makes an erasure step that thinks the erasure began `by` later than it did."""
    return lambda **given: ShiftedStep(step(**given), by)


def sparing(kind: type[Aggregate]) -> Any:
    """Return what makes a `DeleteRows` that leaves one kind of record. On PostgreSQL, `skipping` does the same."""

    def delete_rows(store: Any) -> DeleteRows:
        if not isinstance(store, MemoryStore):
            return DeleteRows(store)

        class Sparing(DeleteRows):
            async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
                spared = dict(store.rows(erasure.account_id)[kind])
                counts = await super().run(erasure, hold)
                store.rows(erasure.account_id)[kind].update(spared)
                return counts

        return Sparing(store)

    return delete_rows


def with_steps_in_order(*names: str) -> Any:
    """Return what makes an `EraseAccount` that takes the named steps in this order, in the places they have."""

    def erase_account(steps: tuple[ErasureStep, ...], **given: Any) -> EraseAccount:
        named = {step.name: step for step in steps}
        wanted = iter(names)
        ordered = tuple(named[next(wanted)] if step.name in names else step for step in steps)
        return EraseAccount(steps=ordered, **given)

    return erase_account
