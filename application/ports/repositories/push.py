"""Reading push tokens."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from domain.kernel import SessionId
from domain.push import PushToken, PushTokenId


class PushTokens(Protocol):
    """The tokens of the account's devices."""

    async def get(self, token_id: PushTokenId) -> PushToken:
        """Return one token, broken or not. Raises NotFound."""
        ...

    async def list_all(self) -> list[PushToken]:
        """Return all of them, broken or not, newest first."""
        ...

    async def of_sessions(self, sessions: Collection[SessionId]) -> list[PushToken]:
        """Return those of some sessions, broken or not."""
        ...
