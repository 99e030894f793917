"""The erasure ledger as the product uses it: the database remembers how far it has come, after each record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from typing_extensions import override

from application.ports.ledger import ErasureLedger
from application.ports.ledger_place import LedgerPlace
from domain.receipts import Intent, LedgerPosition, Receipt


@dataclass(frozen=True, slots=True)
class NotedLedger(ErasureLedger):
    """`ErasureLedger` over another one. What writes raises StoreUnavailable, too; by then the record stands.

    A crash between the two leaves the database a record behind: at the next start the restore gate looks, and finds
    nothing to do.
    """

    ledger: ErasureLedger
    place: LedgerPlace

    @override
    async def open_intent(self, intent: Intent) -> int:
        mark = await self.ledger.open_intent(intent)
        await self._note()
        return mark

    @override
    async def intent(self, fingerprint: bytes) -> Intent | None:
        return await self.ledger.intent(fingerprint)

    @override
    async def note_request(self, fingerprint: bytes, due_at: datetime | None) -> None:
        await self.ledger.note_request(fingerprint, due_at)
        await self._note()

    @override
    async def requested(self, fingerprint: bytes) -> datetime | None:
        return await self.ledger.requested(fingerprint)

    @override
    async def overdue(self, due_by: datetime) -> frozenset[bytes]:
        return await self.ledger.overdue(due_by)

    @override
    async def complete(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        receipt = await self.ledger.complete(fingerprint, facts)
        await self._note()
        return receipt

    @override
    async def sign_interim(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        receipt = await self.ledger.sign_interim(fingerprint, facts)
        await self._note()
        return receipt

    @override
    async def interim(self, fingerprint: bytes) -> Receipt | None:
        return await self.ledger.interim(fingerprint)

    @override
    async def receipt(self, fingerprint: bytes) -> Receipt | None:
        return await self.ledger.receipt(fingerprint)

    @override
    async def confirm(self, fingerprint: bytes, facts: Mapping[str, object]) -> Receipt:
        receipt = await self.ledger.confirm(fingerprint, facts)
        await self._note()
        return receipt

    @override
    async def confirmation(self, fingerprint: bytes) -> Receipt | None:
        return await self.ledger.confirmation(fingerprint)

    @override
    async def unconfirmed(self) -> list[Receipt]:
        return await self.ledger.unconfirmed()

    @override
    async def position(self) -> LedgerPosition:
        return await self.ledger.position()

    @override
    async def head_at(self, number: int) -> bytes | None:
        return await self.ledger.head_at(number)

    @override
    async def pending(self) -> list[Intent]:
        return await self.ledger.pending()

    @override
    async def since(self, mark: int) -> list[Intent]:
        return await self.ledger.since(mark)

    @override
    async def high_water(self) -> int:
        return await self.ledger.high_water()

    async def _note(self) -> None:
        await self.place.note(await self.ledger.position())
