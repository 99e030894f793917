"""Port requests on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import Read, Reader, whole
from application.ports.repositories.porting import PortRequests
from domain.porting import PortRequest, PortRequestId

_C = codec(PortRequest).table.c
_GET = Read.by(PortRequest, whole(PortRequest, _C.id == sa.bindparam("id")), "id")
_ALL = Read.by(PortRequest, whole(PortRequest).order_by(_C.id.desc()))


@dataclass(frozen=True, slots=True)
class PostgresPortRequests(PortRequests):
    """`PortRequests` of one unit of work."""

    reader: Reader

    @override
    async def get(self, port_id: PortRequestId) -> PortRequest:
        return await self.reader.one(_GET, port_id)

    @override
    async def get_even_broken(self, port_id: PortRequestId) -> PortRequest:
        return await self.reader.one(_GET, port_id, even_broken=True)

    @override
    async def list_all(self) -> list[PortRequest]:
        return await self.reader.all(_ALL, even_broken=True)
