"""The use case that forgets what operations came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.ports.store import Store
from application.purge import Purge, PurgeResult
from domain.idempotency import IdempotencyRecord


@dataclass(frozen=True, slots=True)
class PurgeIdempotencyRecords(Purge):
    """Deletes idempotency records that have expired (clause H6)."""

    name: ClassVar[str] = "idempotency_records"

    store: Store

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Delete up to `limit` that expired by `now`. Repeating is harmless."""
        return PurgeResult(await self.store.purge(IdempotencyRecord, "expires_at", now, limit))
