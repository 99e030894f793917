"""The machine's clock, compared with others before anything is destroyed by it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from typing_extensions import override

from application.ports.clock import Clock, ClocksDisagree

TOLERANCE = timedelta(minutes=1)
"""How far two clocks may differ and still agree."""


def _since_boot() -> float:
    """Return seconds that no setting of the time changes; a machine that sleeps counts them too where it can."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class SystemClock(Clock):
    """The machine's clock. It agrees while it has run as fast as the monotonic one and as the database says."""

    def __init__(
        self,
        *,
        system: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = _since_boot,
    ) -> None:
        """Take the present reading of `system` and of `monotonic` (seconds) as belonging together."""
        self._system, self._monotonic = system, monotonic
        self._start, self._start_monotonic = system(), monotonic()
        self.database: Callable[[], Awaitable[datetime]] | None = None
        """Asks the database's clock; None while there is no database."""

    def ahead(self) -> timedelta:
        """Return how far the product's time is ahead of the machine's."""
        return timedelta()

    @override
    def now(self) -> datetime:
        return self._system() + self.ahead()

    @override
    async def agreed(self) -> datetime:
        database = None if self.database is None else await self.database()
        system = self._system()
        expected = self._start + timedelta(seconds=self._monotonic() - self._start_monotonic)
        if abs(system - expected) > TOLERANCE:
            raise ClocksDisagree
        if database is not None and abs(system - database) > TOLERANCE:
            raise ClocksDisagree
        return system + self.ahead()


class ShiftedClock(SystemClock):
    """The machine's clock, moved forward by hand: the Sandbox's. What is compared is the machine's time beneath."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        """Start `offset` ahead of the machine."""
        super().__init__()
        self.offset = offset

    @override
    def ahead(self) -> timedelta:
        return self.offset
