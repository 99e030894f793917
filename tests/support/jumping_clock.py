"""A machine whose time may be set, in a world whose true time is moved by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

from adapters.outbound.memory.system import HandClock
from adapters.outbound.system.clock import SystemClock


class JumpingClock(SystemClock):
    """The product's own clock over a machine and a database whose clocks are wrong by `jump` and `database_jump`."""

    def __init__(self, hand: HandClock) -> None:
        self.hand, self.began = hand, hand.now()
        self.jump = self.database_jump = timedelta()
        super().__init__(system=self.machine, monotonic=self.seconds)
        self.database = self.on_database

    def machine(self) -> datetime:
        return self.hand.now() + self.jump

    def seconds(self) -> float:
        return (self.hand.now() - self.began).total_seconds()

    async def on_database(self) -> datetime:
        return self.hand.now() + self.database_jump

    def advance(self, by: timedelta) -> None:
        self.hand.advance(by)
