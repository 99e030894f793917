"""What the database remembers of the erasure ledger: how far it had come when the database last heard of it."""

from __future__ import annotations

from typing import Protocol

from domain.receipts import LedgerPosition


class LedgerPlace(Protocol):
    """Part of the database that is backed up and restored. Every method raises StoreUnavailable."""

    async def noted(self) -> LedgerPosition | None:
        """Return the position noted last; None in a database that never heard of a ledger. Repeating is harmless."""
        ...

    async def note(self, position: LedgerPosition) -> None:
        """Remember a position; an earlier one than is known changes nothing. Repeating is harmless."""
        ...
