"""Push tokens on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import Read, Reader, whole
from application.ports.repositories.push import PushTokens
from domain.kernel import SessionId
from domain.push import PushToken, PushTokenId

_P = codec(PushToken).table.c
_SESSIONS = sa.bindparam("sessions", type_=postgresql.ARRAY(postgresql.UUID()))
_GET = Read.by(PushToken, whole(PushToken, _P.id == sa.bindparam("id")), "id")
_ALL = Read.by(PushToken, whole(PushToken).order_by(_P.id.desc()))
_OF_SESSIONS = Read.by(PushToken, whole(PushToken, _P.session_id == sa.any_(_SESSIONS)), "sessions")


@dataclass(frozen=True, slots=True)
class PostgresPushTokens(PushTokens):
    """`PushTokens` of one unit of work."""

    reader: Reader

    @override
    async def get(self, token_id: PushTokenId) -> PushToken:
        return await self.reader.one(_GET, token_id, even_broken=True)

    @override
    async def list_all(self) -> list[PushToken]:
        return await self.reader.all(_ALL, even_broken=True)

    @override
    async def of_sessions(self, sessions: Collection[SessionId]) -> list[PushToken]:
        return await self.reader.all(_OF_SESSIONS, list(sessions), even_broken=True)
