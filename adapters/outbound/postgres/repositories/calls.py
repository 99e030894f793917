"""Calls on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import LAST_ID, Read, Reader, whole
from application.ports.repositories.calls import Calls
from domain.calls import Call
from domain.kernel import CallId, CarrierRef, LineId

_C = codec(Call).table.c
_LIMIT = sa.bindparam("limit", type_=sa.Integer())
_LIVE = _C.deleted_at.is_(None)
_GET = Read.by(Call, whole(Call, _C.id == sa.bindparam("id"), _LIVE), "id")
_GET_EVEN_DELETED = Read.by(Call, whole(Call, _C.id == sa.bindparam("id")), "id")
_BY_REF = Read.by(Call, whole(Call, _C.ref == sa.bindparam("ref")), "ref")


def _newest(*of_line: sa.ColumnElement[bool]) -> sa.Select[tuple[object, ...]]:
    return whole(Call, _LIVE, _C.id < sa.bindparam("before"), *of_line).order_by(_C.id.desc()).limit(_LIMIT)


_PAGE = Read.by(Call, _newest(), "before", "limit")
_PAGE_OF_LINE = Read.by(Call, _newest(_C.line_id == sa.bindparam("line_id")), "line_id", "before", "limit")
_RECORDS = whole(Call, _C.ref.is_not(None), _C.record_deleted_at.is_(None)).order_by(_C.id).limit(_LIMIT)
_WITH_RECORD = Read.by(Call, _RECORDS, "limit")
_WITH_RECORD_AFTER = Read.by(Call, _RECORDS.where(_C.id > sa.bindparam("after")), "limit", "after")


@dataclass(frozen=True, slots=True)
class PostgresCalls(Calls):
    """`Calls` of one unit of work."""

    reader: Reader

    @override
    async def get_even_broken(self, call_id: CallId) -> Call:
        return await self.reader.one(_GET, call_id, even_broken=True)

    @override
    async def get_even_deleted(self, call_id: CallId) -> Call:
        return await self.reader.one(_GET_EVEN_DELETED, call_id, even_broken=True)

    @override
    async def by_ref(self, ref: CarrierRef) -> Call | None:
        return await self.reader.maybe(_BY_REF, ref, even_broken=True)

    @override
    async def page(self, line_id: LineId | None, before: CallId | None, limit: int) -> list[Call]:
        if line_id is None:
            return await self.reader.all(_PAGE, before or LAST_ID, limit, even_broken=True)
        return await self.reader.all(_PAGE_OF_LINE, line_id, before or LAST_ID, limit, even_broken=True)

    @override
    async def with_carrier_record(self, after: CallId | None, limit: int) -> list[Call]:
        if after is None:
            return await self.reader.all(_WITH_RECORD, limit, even_broken=True)
        return await self.reader.all(_WITH_RECORD_AFTER, limit, after, even_broken=True)
