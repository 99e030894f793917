"""Reading what operations came to."""

from __future__ import annotations

from typing import Protocol

from domain.idempotency import EarlierResult, Operation


class IdempotencyRecords(Protocol):
    """The account's idempotency records."""

    async def earlier_result(self, operation: Operation) -> EarlierResult | None:
        """Return what `operation` made, if it was done before and its record has not expired."""
        ...
