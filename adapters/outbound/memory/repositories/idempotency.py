"""Idempotency records in memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded
from application.ports.repositories.idempotency import IdempotencyRecords
from domain.idempotency import EarlierResult, IdempotencyRecord, Operation


@dataclass(frozen=True, slots=True)
class MemoryIdempotencyRecords(IdempotencyRecords):
    """`IdempotencyRecords` over one account's rows."""

    loaded: Loaded

    @override
    async def earlier_result(self, operation: Operation) -> EarlierResult | None:
        await self.loaded.answer()
        for record in self.loaded.of(IdempotencyRecord):
            if record.key == operation.key:
                return EarlierResult(record.resource_id, record.request == operation.request)
        return None
