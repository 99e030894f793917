"""Idempotency records on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import Keys, codec
from adapters.outbound.postgres.reading import ACCOUNT, Reader, owned
from adapters.outbound.postgres.statements import compiled
from application.ports.repositories.idempotency import IdempotencyRecords
from domain.idempotency import EarlierResult, IdempotencyRecord, Operation

_C = codec(IdempotencyRecord).table.c
_EARLIER = compiled(
    sa.select(_C.resource_id, _C.request).where(owned(IdempotencyRecord), _C.key == sa.bindparam("key")),
    ACCOUNT, "key",
)  # fmt: skip


def key_index(keys: Keys, operation: Operation) -> bytes:
    """Return the blind index under which an operation is on record."""
    return keys.account_index("idempotency_records.key", operation.key)


def earlier_result(
    keys: Keys, operation: Operation, resource_id: UUID | None, request: bytes
) -> EarlierResult:
    """Tell what an operation on record made, and whether its request was this one."""
    asked = keys.account_index("idempotency_records.request", operation.request)
    return EarlierResult(resource_id, asked == request)


@dataclass(frozen=True, slots=True)
class PostgresIdempotencyRecords(IdempotencyRecords):
    """`IdempotencyRecords` of one unit of work."""

    reader: Reader

    @override
    async def earlier_result(self, operation: Operation) -> EarlierResult | None:
        keys = self.reader.keys
        row = await self.reader.database.first(_EARLIER, self.reader.account_id, key_index(keys, operation))
        return None if row is None else earlier_result(keys, operation, *row)
