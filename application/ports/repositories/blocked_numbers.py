"""Reading blocked numbers."""

from __future__ import annotations

from typing import Protocol

from domain.blocked_numbers import BlockedNumber, BlockedNumberId
from domain.values import PhoneNumber


class BlockedNumbers(Protocol):
    """The numbers that the account has blocked."""

    async def find(self, number: PhoneNumber) -> BlockedNumber | None:
        """Return the block on a number, broken or not."""
        ...

    async def page(self, before: BlockedNumberId | None, limit: int) -> list[BlockedNumber]:
        """Return up to `limit`, broken ones too, newest first, from just before the given one on."""
        ...

    async def count(self) -> int:
        """Return how many there are."""
        ...
