"""The machine's clock, compared with others before anything is destroyed by it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from typing_extensions import override

from application.ports.clock import Clock, ClocksDisagree

TOLERANCE = timedelta(minutes=1)
"""How far two clocks may differ and still agree."""
STAYS_FOR = timedelta(minutes=10)
"""How long a step of the machine's clock stays, at least, before it is taken for a correction."""
ASKED_WITHIN = timedelta(minutes=5)
"""What nobody has looked at for longer may have been otherwise meanwhile."""


@dataclass(slots=True)
class _Step:
    """A step of the machine's clock, `by` so much: seen from `since` until `until`, monotonic seconds."""

    by: timedelta
    since: float
    until: float


def _since_boot() -> float:
    """Return seconds that no setting of the time changes; a machine that sleeps counts them too where it can."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SystemClock(Clock):
    """The time at which the process began, and what has passed since by the monotonic clock.

    A step of the machine's clock moves it only when it is lasting: when the database tells the same time, and has for
    as long as the step is large. So a clock that is wrong for a week by ninety days is never believed, and the small
    corrections of a time service soon are.
    """

    def __init__(
        self,
        *,
        system: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = _since_boot,
    ) -> None:
        """Take the present reading of `system` and of `monotonic` (seconds) as belonging together."""
        self._system, self._monotonic = system, monotonic
        self._start, self._start_monotonic = system(), monotonic()
        self._step: _Step | None = None
        self.database: Callable[[], Awaitable[datetime]] | None = None
        """Asks the database's clock; None while there is no database."""

    def ahead(self) -> timedelta:
        """Return how far the product's time is ahead of the machine's."""
        return timedelta()

    @override
    def now(self) -> datetime:
        return self._steady() + self.ahead()

    @override
    async def agreed(self) -> datetime:
        database = None if self.database is None else await self.database()
        system = self._system()
        if database is not None and abs(system - database) > TOLERANCE:
            self._step = None
            raise ClocksDisagree
        if abs(system - self._steady()) <= TOLERANCE:
            self._step = None
        elif database is None or not self._is_lasting(system):
            raise ClocksDisagree
        return self.now()

    def _steady(self) -> datetime:
        return self._start + timedelta(seconds=self._monotonic() - self._start_monotonic)

    def _is_lasting(self, system: datetime) -> bool:
        """Tell whether a step has stayed for as long as it is large, and go on from there if so."""
        now, by = self._monotonic(), system - self._steady()
        seen = self._step
        if (
            seen is None
            or abs(by - seen.by) > TOLERANCE
            or timedelta(seconds=now - seen.until) > ASKED_WITHIN
        ):
            seen = self._step = _Step(by, now, now)
        seen.until = now
        if timedelta(seconds=now - seen.since) < max(STAYS_FOR, abs(by)):
            return False
        self._start, self._start_monotonic, self._step = system, now, None
        return True


class ShiftedClock(SystemClock):
    """The machine's clock, moved forward by hand: the Sandbox's. What is compared is the machine's time beneath."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        """Start `offset` ahead of the machine."""
        super().__init__()
        self.offset = offset

    @override
    def ahead(self) -> timedelta:
        return self.offset
