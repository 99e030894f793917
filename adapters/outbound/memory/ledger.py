"""An erasure ledger in memory."""

from __future__ import annotations

from collections.abc import Mapping

from application.ports.ledger import Intent, LedgerUnavailable, NoIntent, Receipt


class MemoryLedger:
    """`ErasureLedger` in two dictionaries. Set `outage` to have every method raise LedgerUnavailable."""

    def __init__(self, key: bytes = bytes(32)) -> None:
        """`key` signs receipts."""
        self.outage = False
        self._key = key
        self._intents: dict[bytes, Intent] = {}
        self._receipts: dict[bytes, Receipt] = {}

    async def open_intent(self, intent: Intent) -> int:
        """See `ErasureLedger.open_intent`."""
        self._answer()
        self._intents.setdefault(intent.fingerprint, intent)
        return list(self._intents).index(intent.fingerprint) + 1

    async def complete(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        """See `ErasureLedger.complete`."""
        self._answer()
        receipt = Receipt.signed(self._key, fingerprint, facts)
        if fingerprint not in self._intents:
            raise NoIntent
        return self._receipts.setdefault(fingerprint, receipt)

    async def receipt(self, fingerprint: bytes) -> Receipt | None:
        """See `ErasureLedger.receipt`."""
        self._answer()
        return self._receipts.get(fingerprint)

    async def pending(self) -> list[Intent]:
        """See `ErasureLedger.pending`."""
        self._answer()
        return [intent for name, intent in self._intents.items() if name not in self._receipts]

    async def since(self, mark: int) -> list[Intent]:
        """See `ErasureLedger.since`."""
        self._answer()
        return list(self._intents.values())[mark:]

    async def high_water(self) -> int:
        """See `ErasureLedger.high_water`."""
        self._answer()
        return len(self._intents)

    def _answer(self) -> None:
        if self.outage:
            raise LedgerUnavailable
