"""The machine's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from typing_extensions import override

from application.ports.clock import Clock


class SystemClock(Clock):
    """The machine's clock."""

    @override
    def now(self) -> datetime:
        return datetime.now(UTC)


class ShiftedClock(Clock):
    """The machine's clock, moved forward by hand: the Sandbox's."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        """Start `offset` ahead of the machine."""
        self.offset = offset

    @override
    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset
