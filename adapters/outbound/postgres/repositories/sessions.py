"""Sessions on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import Read, Reader, whole
from application.ports.repositories.sessions import Sessions
from domain.kernel import SessionId
from domain.sessions import Session

_C = codec(Session).table.c
_GET = Read.by(Session, whole(Session, _C.id == sa.bindparam("id")), "id")
_OPEN = Read.by(Session, whole(Session, _C.revoked_at.is_(None)).order_by(_C.id.desc()))


@dataclass(frozen=True, slots=True)
class PostgresSessions(Sessions):
    """`Sessions` of one unit of work."""

    reader: Reader

    @override
    async def get(self, session_id: SessionId) -> Session:
        return await self.reader.one(_GET, session_id, even_broken=True)

    @override
    async def list_open(self) -> list[Session]:
        return await self.reader.all(_OPEN, even_broken=True)
