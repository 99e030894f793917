"""An erasure ledger in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from typing_extensions import override

from application.ports.ledger import ErasureLedger, LedgerUnavailable, NoIntent
from domain.receipts import START, Intent, LedgerPosition, Receipt, chained


class MemoryLedger(ErasureLedger):
    """`ErasureLedger` in dictionaries. Set `outage` to have every method raise LedgerUnavailable."""

    def __init__(self, key: bytes = bytes(32)) -> None:
        """`key` signs receipts."""
        self.outage = False
        self._key = key
        self._intents: dict[bytes, Intent] = {}
        self._interim: dict[bytes, Receipt] = {}
        self._requests: dict[bytes, datetime | None] = {}
        self._receipts: dict[bytes, Receipt] = {}
        self._confirmed: dict[bytes, Receipt] = {}
        self._heads: list[bytes] = [START.head]

    @override
    async def open_intent(self, intent: Intent) -> int:
        self._answer()
        if intent.fingerprint not in self._intents:
            self._intents[intent.fingerprint] = intent
            self._add(repr(intent), intent.fingerprint)
        return list(self._intents).index(intent.fingerprint) + 1

    @override
    async def intent(self, fingerprint: bytes) -> Intent | None:
        self._answer()
        return self._intents.get(fingerprint)

    @override
    async def note_request(self, fingerprint: bytes, due_at: datetime | None) -> None:
        self._answer()
        if self._requests.get(fingerprint) != due_at:
            self._requests[fingerprint] = due_at
            self._add(repr(due_at), fingerprint)

    @override
    async def requested(self, fingerprint: bytes) -> datetime | None:
        self._answer()
        return self._requests.get(fingerprint)

    @override
    async def overdue(self, due_by: datetime) -> frozenset[bytes]:
        self._answer()
        due = frozenset(name for name, at in self._requests.items() if at is not None and at <= due_by)
        return due - self._intents.keys()

    @override
    async def complete(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        return self._sign(self._receipts, fingerprint, facts)

    @override
    async def sign_interim(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        return self._sign(self._interim, fingerprint, facts)

    @override
    async def interim(self, fingerprint: bytes) -> Receipt | None:
        self._answer()
        return self._interim.get(fingerprint)

    @override
    async def receipt(self, fingerprint: bytes) -> Receipt | None:
        self._answer()
        return self._receipts.get(fingerprint)

    @override
    async def confirm(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        self._answer()
        if fingerprint not in self._receipts:
            raise NoIntent
        return self._sign(self._confirmed, fingerprint, facts)

    @override
    async def confirmation(self, fingerprint: bytes) -> Receipt | None:
        self._answer()
        return self._confirmed.get(fingerprint)

    @override
    async def unconfirmed(self) -> list[Receipt]:
        self._answer()
        return [receipt for name, receipt in self._receipts.items() if name not in self._confirmed]

    @override
    async def position(self) -> LedgerPosition:
        self._answer()
        return LedgerPosition(len(self._heads) - 1, self._heads[-1])

    @override
    async def head_at(self, number: int) -> bytes | None:
        self._answer()
        return self._heads[number] if number < len(self._heads) else None

    @override
    async def pending(self) -> list[Intent]:
        self._answer()
        return [intent for name, intent in self._intents.items() if name not in self._receipts]

    @override
    async def since(self, mark: int) -> list[Intent]:
        self._answer()
        return list(self._intents.values())[mark:]

    @override
    async def high_water(self) -> int:
        self._answer()
        return len(self._intents)

    def _sign(self, among: dict[bytes, Receipt], fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        self._answer()
        receipt = Receipt.signed(self._key, fingerprint, facts)
        if fingerprint not in self._intents:
            raise NoIntent
        if fingerprint not in among:
            among[fingerprint] = receipt
            self._add(repr(receipt), receipt.signature)
        return among[fingerprint]

    def _add(self, record: str, secret: bytes) -> None:
        self._heads.append(chained(self._key, self._heads[-1], record.encode() + secret))

    def _answer(self) -> None:
        if self.outage:
            raise LedgerUnavailable
