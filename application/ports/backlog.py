"""What is still to be done, over all accounts: counts and ages, which name nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from domain.residue import Holding

HORIZON = timedelta(hours=8)
"""Jobs that are due later than this are not looked at: no job that was tried waits as long for its next time."""


class QueuedWork(NamedTuple):
    """The jobs of one name that are due within `HORIZON`, or in a worker's hands."""

    job: str
    due: int
    """How many should be done by now and are in nobody's hands."""
    later: int
    """How many wait for their time, or are being done."""
    late: timedelta
    """For how long the one that is due longest has been; zero where none is."""
    age: timedelta
    """Since when the oldest of them has been queued."""


class OpenErasures(NamedTuple):
    """Erasures that have come equally far."""

    done: str | None
    """The last step that is done; None before the first."""
    number: int
    oldest_began_at: datetime


class Backlog(Protocol):
    """Every method raises StoreUnavailable. Repeating is harmless, but each look goes over all that is open."""

    async def work(self) -> Sequence[QueuedWork]:
        """Return the jobs by name. Dead ones do not count."""
        ...

    async def failing(self) -> Mapping[str, int]:
        """Return how many of these jobs failed when they were tried last, by the code of why."""
        ...

    async def longest_due(self, due_before: datetime, unverified_before: datetime) -> timedelta | None:
        """Return for how long an account has been due for an erasure that has not begun; None where none is.

        Due are those that `Directory.accounts_to_erase` returns for the same instants.
        """
        ...

    async def erasures(self) -> Sequence[OpenErasures]:
        """Return the erasures that have begun and are not finished, by the last step that is done."""
        ...

    async def held(self) -> Mapping[Holding, int]:
        """Return how much unfinished erasures know providers to hold still, by what it is."""
        ...
