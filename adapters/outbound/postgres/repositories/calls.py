"""Calls on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import LAST_ID, Read, Reader, whole
from adapters.outbound.postgres.repositories.call_context import call_context
from application.ports.repositories.calls import CallContext, Calls
from domain.calls import Call
from domain.idempotency import Operation
from domain.kernel import CallId, CarrierRef, LineId
from domain.values import Peer

PEER_INDEX = "calls.peer"
"""What the blind index of a call's other side is for."""

_C = codec(Call).table.c
_LIMIT = sa.bindparam("limit", type_=sa.Integer())
_LIVE = _C.deleted_at.is_(None)
_GET = Read.by(Call, whole(Call, _C.id == sa.bindparam("id"), _LIVE), "id")
_GET_EVEN_DELETED = Read.by(Call, whole(Call, _C.id == sa.bindparam("id")), "id")
_BY_REF = Read.by(Call, whole(Call, _C.ref == sa.bindparam("ref")), "ref")


_ANY = sa.bindparam("line_id", type_=postgresql.UUID(as_uuid=True))
_PEER = sa.bindparam("peer", type_=postgresql.BYTEA())
_PAGE = Read.by(
    Call,
    whole(
        Call, _LIVE, _C.id < sa.bindparam("before"),
        sa.or_(_ANY.is_(None), _C.line_id == _ANY), sa.or_(_PEER.is_(None), _C.peer_index == _PEER),
    ).order_by(_C.id.desc()).limit(_LIMIT),
    "line_id", "peer", "before", "limit",
)  # fmt: skip
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
    async def context(
        self, line_id: LineId, ref: CarrierRef, caller: Peer | None, operation: Operation
    ) -> CallContext:
        return await call_context(self.reader, line_id, ref, caller, operation)

    @override
    async def page(
        self, line_id: LineId | None, peer: Peer | None, before: CallId | None, limit: int
    ) -> list[Call]:
        index = None if peer is None else self.reader.keys.account_index(PEER_INDEX, peer)
        return await self.reader.all(_PAGE, line_id, index, before or LAST_ID, limit, even_broken=True)

    @override
    async def with_carrier_record(self, after: CallId | None, limit: int) -> list[Call]:
        if after is None:
            return await self.reader.all(_WITH_RECORD, limit, even_broken=True)
        return await self.reader.all(_WITH_RECORD_AFTER, limit, after, even_broken=True)
