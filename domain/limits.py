"""Limits: at most so many of something within a time, decided on one instant per key.

The rule is the generic cell rate algorithm (ITU-T I.371, annex A): an empty bucket of `at_once` is full again at one
instant, and everything taken moves that instant on. Nothing else is remembered, so nothing tells how often or when
something was taken; once the instant has passed, it says nothing at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.kernel import ErrorKind, PicoError


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `most` within any time as long as `within`, its two ends included, and `at_once` in one go.

    What was taken comes back one by one, `every` so often. Raises ValueError unless 0 < at_once < most.
    """

    name: str
    """A word of a-z and underscores: keys of two names have nothing to do with each other."""
    most: int
    within: timedelta
    at_once: int
    every: timedelta = field(init=False, repr=False, compare=False)
    """After how long one comes back: nobody who takes one at a time waits longer. Rounded up, to be no laxer."""
    room: timedelta = field(init=False, repr=False, compare=False)
    """How far ahead of the present the instant may lie at which all is back."""

    def __post_init__(self) -> None:
        """Refuse a limit that lets nothing through, or nothing back."""
        if not 0 < self.at_once < self.most:
            raise ValueError(self.name)
        object.__setattr__(self, "every", -(-self.within // (self.most - self.at_once)))
        object.__setattr__(self, "room", self.every * self.at_once)

    def take(self, full_at: datetime | None, now: datetime, cost: int = 1) -> Taking:
        """Take `cost` of what is left, given when all would be back (None: it is). Or say how long to wait for it.

        An instant farther ahead than `room` was set by a clock that has been set back since, and counts as `room`
        ahead. Whoever keeps it keeps `Taking.full_at` then, also when nothing was taken, or the wait would begin anew.
        """
        held = now if full_at is None else min(max(full_at, now), now + self.room)
        after = held + self.every * cost
        missing = after - now - self.room
        if missing > timedelta():
            return Taking(held, now, self, missing)
        return Taking(after, now, self)

    def give_back(self, full_at: datetime, cost: int = 1) -> datetime:
        """Return when all is back after `cost` was taken for nothing."""
        return full_at - self.every * cost


@dataclass(frozen=True, slots=True)
class Taking:
    """What came of taking: when all is back, and how long to wait if there was not enough left."""

    full_at: datetime
    at: datetime
    limit: Limit
    wait: timedelta | None = None

    @property
    def left(self) -> int:
        """How many could be taken right now."""
        return (self.limit.room - (self.full_at - self.at)) // self.limit.every


class Limited(PicoError):
    """This was asked for too often; `retry_after` says when to come back."""

    kind = ErrorKind.LIMITED
    code = "limited"

    retry_after: timedelta

    def __init__(self, limit: Limit, wait: timedelta) -> None:
        """Say which limit, and how long to wait."""
        super().__init__()
        self.limit = limit
        self.retry_after = wait
