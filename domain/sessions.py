"""Sessions: who is signed in, by a token of which only a keyed fingerprint is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Self

from domain.kernel import AccountId, Aggregate, Event, IndexScope, SessionId, StorageKind, index, plain
from domain.values import SessionToken


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(Event):
    """A session began."""

    session_id: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRevoked(Event):
    """A session was revoked."""

    session_id: SessionId


@dataclass(slots=True, kw_only=True)
class Session(Aggregate):
    """One signed-in device. `token` is present only at birth; at rest there is its fingerprint."""

    stored_as: ClassVar[str] = "sessions"

    account_id: Annotated[AccountId, plain(StorageKind.ID, "C6", exported=False)]
    id: Annotated[SessionId, plain(StorageKind.ID, "C6")]
    token: Annotated[SessionToken | None, index("C6", IndexScope.SYSTEM)] = None
    created_at: Annotated[datetime, plain(StorageKind.TIME, "C6")]
    revoked_at: Annotated[datetime | None, plain(StorageKind.TIME, "T5")] = None

    @classmethod
    def open(cls, account_id: AccountId, session_id: SessionId, token: SessionToken, at: datetime) -> Self:
        """Sign in."""
        session = cls(account_id=account_id, id=session_id, token=token, created_at=at)
        session.record(SessionOpened(account_id=account_id, at=at, session_id=session_id))
        return session

    def revoke(self, at: datetime) -> None:
        """Sign out. Repeating is harmless: the first moment stands."""
        if self.revoked_at is None:
            self.revoked_at = at
            self.record(SessionRevoked(account_id=self.account_id, at=at, session_id=self.id))
