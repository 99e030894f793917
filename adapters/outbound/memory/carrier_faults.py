"""What the two halves of the carrier in memory share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from application.ports.carrier_errors import CarrierUnavailable
from domain.kernel import LineId


class CarrierFaults:
    """Knobs and records of every operation, and the numbers that are ours."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin without a fault, holding nothing. `now` stamps messages."""
        self.now = now
        self.outage = self.lies = False
        self.lose_answers = 0
        self.calls: list[str] = []
        self.owners: dict[str, LineId] = {}
        """Which line each number that is ours was ordered for."""
        self.opted_out: set[tuple[str, str]] = set()
        """Pairs of a number of ours and a peer who asked for no more messages from it."""

    def hear(self, operation: str) -> None:
        """Note an operation. Raises CarrierUnavailable during an outage."""
        self.calls.append(operation)
        if self.outage:
            raise CarrierUnavailable

    def answer(self) -> None:
        """Let a write be answered. Raises CarrierUnavailable when its answer is to be lost."""
        if self.lose_answers > 0:
            self.lose_answers -= 1
            raise CarrierUnavailable
