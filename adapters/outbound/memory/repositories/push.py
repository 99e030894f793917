"""Push tokens in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, newest_first
from application.ports.repositories.push import PushTokens
from domain.kernel import SessionId
from domain.push import PushToken, PushTokenId


@dataclass(frozen=True, slots=True)
class MemoryPushTokens(PushTokens):
    """`PushTokens` over one account's rows."""

    loaded: Loaded

    @override
    async def get(self, token_id: PushTokenId) -> PushToken:
        return await self.loaded.one(PushToken, token_id)

    @override
    async def list_all(self) -> list[PushToken]:
        return newest_first(await self.loaded.all(PushToken))

    @override
    async def of_sessions(self, sessions: Collection[SessionId]) -> list[PushToken]:
        return await self.loaded.all(PushToken, lambda token: token.session_id in sessions)
