"""Phone lines on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import Read, Reader, whole
from application.ports.repositories.lines import Lines
from domain.kernel import LineId
from domain.lines import PhoneLine

_C = codec(PhoneLine).table.c
_GET = Read.by(PhoneLine, whole(PhoneLine, _C.id == sa.bindparam("id")), "id")
_ALL = Read.by(PhoneLine, whole(PhoneLine).order_by(_C.id.desc()))


@dataclass(frozen=True, slots=True)
class PostgresLines(Lines):
    """`Lines` of one unit of work."""

    reader: Reader

    @override
    async def get(self, line_id: LineId) -> PhoneLine:
        return await self.reader.one(_GET, line_id)

    @override
    async def get_even_broken(self, line_id: LineId) -> PhoneLine:
        return await self.reader.one(_GET, line_id, even_broken=True)

    @override
    async def list_all(self) -> list[PhoneLine]:
        return await self.reader.all(_ALL, even_broken=True)
