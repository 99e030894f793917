"""Greetings, on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import Read, Reader, whole
from application.ports.repositories.greetings import Greetings
from domain.greetings import Greeting, GreetingId
from domain.kernel import LineId

_C = codec(Greeting).table.c
_GET = Read.by(Greeting, whole(Greeting, _C.id == sa.bindparam("id")), "id")
_OF_LINE = Read.by(
    Greeting, whole(Greeting, _C.line_id == sa.bindparam("line_id")).order_by(_C.id.desc()), "line_id"
)
_COPIES = Read.by(Greeting, whole(Greeting, _C.ref.is_not(None)).order_by(_C.id.desc()))


@dataclass(frozen=True, slots=True)
class PostgresGreetings(Greetings):
    """`Greetings` of one unit of work."""

    reader: Reader

    @override
    async def get(self, greeting_id: GreetingId) -> Greeting:
        return await self.reader.one(_GET, greeting_id, even_broken=True)

    @override
    async def of_line(self, line_id: LineId) -> list[Greeting]:
        return await self.reader.all(_OF_LINE, line_id, even_broken=True)

    @override
    async def with_carrier_copy(self) -> list[Greeting]:
        return await self.reader.all(_COPIES, even_broken=True)
