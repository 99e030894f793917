"""Master-key epochs: how long one master key wraps what accounts have, and when what it wrapped is beyond everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Epoch:
    """The life of one master key. `gone_at` is when its material is deleted; None: it is not retired yet."""

    number: int
    began_at: datetime
    gone_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EpochPolicy:
    """When the next epoch begins.

    `period` after the present one began, and, where `quiet` is set, as soon as no erasure has finished for that long of
    several that need the present one to end. `look_every`: how often the ledger is asked which do.
    """

    period: timedelta = timedelta(days=7)
    quiet: timedelta | None = None
    look_every: timedelta = timedelta(minutes=10)

    def due(self, newest: Epoch, finished: Sequence[datetime], now: datetime) -> bool:
        """Tell whether the next epoch is due; `finished`: when the erasures did that wait for this one's end."""
        if now >= newest.began_at + self.period:
            return True
        return self.quiet is not None and bool(finished) and now >= max(finished) + self.quiet

    def ends(self, newest: Epoch, now: datetime) -> datetime:
        """Return when the present epoch is over by schedule, for an erasure that finishes now."""
        by_age = max(newest.began_at + self.period, now)
        return by_age if self.quiet is None else min(by_age, now + self.quiet)


def gone_through(epochs: Sequence[Epoch], now: datetime) -> int:
    """Return the number of the last epoch up to which, from the first one on, every master key is gone; 0: none."""
    through = 0
    for epoch in sorted(epochs, key=lambda each: each.number):
        if epoch.gone_at is None or epoch.gone_at > now:
            break
        through = epoch.number
    return through
