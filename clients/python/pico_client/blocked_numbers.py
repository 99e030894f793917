"""Numbers that the person wants to hear nothing of: list, block, unblock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pico_client.calls import Calls, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class BlockedNumber(Result):
    """A number from which nothing is taken in; None where it was damaged."""

    id: str
    number: str | None
    blocked_at: datetime


class BlockedNumbers(Calls):
    """What one does with blocked numbers."""

    def list_blocked_numbers(self) -> Iterator[BlockedNumber]:
        """List blocked numbers, newest first."""
        return self._list(BlockedNumber, "/v1/blocked-numbers")

    def block_number(self, number: str) -> BlockedNumber:
        """Block a number: nothing it sends is kept, nothing is sent to it."""
        return self._ask(BlockedNumber, "PUT", f"/v1/blocked-numbers/{part(number)}")

    def unblock_number(self, number: str) -> None:
        """Unblock a number."""
        self._send("DELETE", f"/v1/blocked-numbers/{part(number)}")
