"""Reading sessions."""

from __future__ import annotations

from typing import Protocol

from domain.kernel import SessionId
from domain.sessions import Session


class Sessions(Protocol):
    """The account's sessions."""

    async def get(self, session_id: SessionId) -> Session:
        """Return one session, revoked or not, broken or not. Raises NotFound."""
        ...

    async def list_open(self) -> list[Session]:
        """Return the sessions that are not revoked, broken ones too, newest first."""
        ...
