"""Sessions in memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, newest_first
from application.ports.repositories.sessions import Sessions
from domain.kernel import SessionId
from domain.sessions import Session


@dataclass(frozen=True, slots=True)
class MemorySessions(Sessions):
    """`Sessions` over one account's rows."""

    loaded: Loaded

    @override
    async def get(self, session_id: SessionId) -> Session:
        return await self.loaded.one(Session, session_id)

    @override
    async def list_open(self) -> list[Session]:
        return newest_first(await self.loaded.all(Session, lambda session: not session.is_revoked))
