"""Voicemail, on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import Read, Reader, whole
from application.ports.repositories.voicemail import Voicemails
from domain.kernel import CarrierRef, LineId, NotFound
from domain.voicemail import Voicemail, VoicemailId

_C = codec(Voicemail).table.c
_LIMIT = sa.bindparam("limit", type_=sa.Integer())
_GET = Read.by(Voicemail, whole(Voicemail, _C.id == sa.bindparam("id")), "id")
_BY_REF = Read.by(Voicemail, whole(Voicemail, _C.ref == sa.bindparam("ref")), "ref")
_NEWEST = whole(Voicemail, _C.deleted_at.is_(None)).order_by(_C.id.desc()).limit(_LIMIT)
_OF_LINE = _C.line_id == sa.bindparam("line_id")
_BEFORE = _C.id < sa.bindparam("before")
_PAGES = {
    (False, False): Read.by(Voicemail, _NEWEST, "limit"),
    (False, True): Read.by(Voicemail, _NEWEST.where(_BEFORE), "limit", "before"),
    (True, False): Read.by(Voicemail, _NEWEST.where(_OF_LINE), "limit", "line_id"),
    (True, True): Read.by(Voicemail, _NEWEST.where(_OF_LINE, _BEFORE), "limit", "line_id", "before"),
}
"""By whether they are of one line, and whether they go on."""
_WITH_COPY = whole(Voicemail, _C.copy_deleted_at.is_(None)).order_by(_C.id).limit(_LIMIT)
_COPIES = Read.by(Voicemail, _WITH_COPY, "limit")
_COPIES_AFTER = Read.by(Voicemail, _WITH_COPY.where(_C.id > sa.bindparam("after")), "limit", "after")


@dataclass(frozen=True, slots=True)
class PostgresVoicemails(Voicemails):
    """`Voicemails` of one unit of work."""

    reader: Reader

    @override
    async def get(self, voicemail_id: VoicemailId) -> Voicemail:
        found = await self.get_even_deleted(voicemail_id)
        if found.is_deleted:
            raise NotFound
        return found

    @override
    async def get_even_deleted(self, voicemail_id: VoicemailId) -> Voicemail:
        return await self.reader.one(_GET, voicemail_id, even_broken=True)

    @override
    async def by_ref(self, ref: CarrierRef) -> Voicemail | None:
        return await self.reader.maybe(_BY_REF, ref, even_broken=True)

    @override
    async def page(self, line_id: LineId | None, before: VoicemailId | None, limit: int) -> list[Voicemail]:
        given = tuple(one for one in (line_id, before) if one is not None)
        read = _PAGES[line_id is not None, before is not None]
        return await self.reader.all(read, limit, *given, even_broken=True)

    @override
    async def with_carrier_copy(self, after: VoicemailId | None, limit: int) -> list[Voicemail]:
        read, given = (_COPIES, ()) if after is None else (_COPIES_AFTER, (after,))
        return await self.reader.all(read, limit, *given, even_broken=True)
