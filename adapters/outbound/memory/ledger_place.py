"""The ledger's position, in memory."""

from __future__ import annotations

from typing_extensions import override

from application.ports.ledger_place import LedgerPlace
from domain.receipts import LedgerPosition


class MemoryLedgerPlace(LedgerPlace):
    """`LedgerPlace` in an attribute."""

    def __init__(self) -> None:
        """Know of no ledger."""
        self.position: LedgerPosition | None = None

    @override
    async def noted(self) -> LedgerPosition | None:
        return self.position

    @override
    async def note(self, position: LedgerPosition) -> None:
        if self.position is None or position.number > self.position.number:
            self.position = position
