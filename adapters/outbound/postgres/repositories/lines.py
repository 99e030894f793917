"""Phone lines on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import LAST_ID, Read, Reader, whole
from application.ports.repositories.lines import Lines
from domain.kernel import LineId
from domain.lines import LineState, PhoneLine

_C = codec(PhoneLine).table.c
_GET = Read.by(PhoneLine, whole(PhoneLine, _C.id == sa.bindparam("id")), "id")
_ALL = Read.by(PhoneLine, whole(PhoneLine).order_by(_C.id.desc()))
_LIMIT = sa.bindparam("limit", type_=sa.Integer())


def _page(*of_state: sa.ColumnElement[bool]) -> Read[PhoneLine]:
    page = whole(PhoneLine, _C.id < sa.bindparam("before"), *of_state).order_by(_C.id.desc()).limit(_LIMIT)
    return Read.by(PhoneLine, page, "before", "limit")


_PAGE = _page()
_PAGES = {state: _page(_C.state == sa.literal_column(f"'{state}'")) for state in LineState}


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

    @override
    async def page(self, state: LineState | None, before: LineId | None, limit: int) -> list[PhoneLine]:
        read = _PAGE if state is None else _PAGES[state]
        return await self.reader.all(read, before or LAST_ID, limit, even_broken=True)
