"""Idempotency records on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import Keys, codec
from adapters.outbound.postgres.decoding import Row
from adapters.outbound.postgres.reading import ACCOUNT, AGGREGATES, Reader, owned
from adapters.outbound.postgres.statements import compiled
from application.ports.repositories.idempotency import IdempotencyRecords
from domain.idempotency import EarlierResult, IdempotencyRecord, Operation

_C = codec(IdempotencyRecord).table.c
_RECORDS = AGGREGATES[IdempotencyRecord]
COLUMNS = (*_RECORDS.columns, _C.request)
"""What `earlier_result` is told of a record."""
_EARLIER = compiled(
    sa.select(*COLUMNS).where(owned(IdempotencyRecord), _C.key == sa.bindparam("key")), ACCOUNT, "key"
)


def key_index(keys: Keys, operation: Operation) -> bytes:
    """Return the blind index under which an operation is on record."""
    return keys.account_index("idempotency_records.key", operation.key)


def earlier_result(reader: Reader, operation: Operation, row: Row) -> EarlierResult:
    """Tell what an operation on record made, and whether its request was this one."""
    record = reader.loader(_RECORDS, even_broken=True)(row)
    asked = reader.keys.account_index("idempotency_records.request", operation.request)
    return EarlierResult(record.resource_id, asked == row[-1], record.altered)


@dataclass(frozen=True, slots=True)
class PostgresIdempotencyRecords(IdempotencyRecords):
    """`IdempotencyRecords` of one unit of work."""

    reader: Reader

    @override
    async def earlier_result(self, operation: Operation) -> EarlierResult | None:
        reader = self.reader
        row = await reader.database.first(_EARLIER, reader.account_id, key_index(reader.keys, operation))
        return None if row is None else earlier_result(reader, operation, row)
