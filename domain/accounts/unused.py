"""Accounts that nobody uses: which step is due, where a period is set for them (clauses T15, H35)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from domain.retention import RetentionRule

FIRST_WARNING, SECOND_WARNING = timedelta(days=60), timedelta(days=14)
"""How long before the end of the period, and at least how long before the deletion, each of them is sent."""


class UnusedStep(StrEnum):
    """What is done with an account that nobody uses, in this order."""

    WARN = "warn"
    WARN_AGAIN = "warn_again"
    DELETE = "delete"


class Cutoffs(NamedTuple):
    """A step is due for accounts unused since, and last warned at, these instants or earlier."""

    unused_since: datetime
    warned_at: datetime | None
    """None for the first step, before which nobody was warned."""


def cutoffs(step: UnusedStep, rule: RetentionRule, now: datetime) -> Cutoffs:
    """Return for which accounts `step` is due by `now`."""
    over = rule.cutoff(now)
    if step is UnusedStep.WARN:
        return Cutoffs(over + FIRST_WARNING, None)
    if step is UnusedStep.WARN_AGAIN:
        return Cutoffs(over + SECOND_WARNING, now - (FIRST_WARNING - SECOND_WARNING))
    return Cutoffs(over, now - SECOND_WARNING)


@dataclass(frozen=True, slots=True)
class Unused:
    """Since when nobody has used an account, and when its person was warned."""

    since: datetime
    warned_at: datetime | None
    warned_again_at: datetime | None

    @property
    def next_step(self) -> UnusedStep:
        """Return the step that has not been taken."""
        if self.warned_at is None:
            return UnusedStep.WARN
        return UnusedStep.WARN_AGAIN if self.warned_again_at is None else UnusedStep.DELETE

    def due_step(self, rule: RetentionRule, now: datetime) -> UnusedStep | None:
        """Return the step that is due by `now`, if one is.

        However late the first warning was, the second comes no sooner than 46 days after it, and the deletion no sooner
        than 14 days after that.
        """
        step = self.next_step
        return step if self.is_before(cutoffs(step, rule, now)) else None

    def is_before(self, before: Cutoffs) -> bool:
        """Tell whether it is unused, and was last warned, for as long as its next step asks for."""
        last = self.warned_again_at or self.warned_at
        warned = before.warned_at is None or (last is not None and last <= before.warned_at)
        return warned and self.since <= before.unused_since
