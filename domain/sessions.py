"""Sessions: who is signed in, by a token of which only a keyed fingerprint is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Self

from domain.kernel import AccountId, Aggregate, Event, Found, Kind, SessionId, index, plain
from domain.values import SessionToken


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(Event):
    """A session began."""

    session_id: SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut(Event):
    """A session was revoked."""

    session_id: SessionId


@dataclass(slots=True, kw_only=True)
class Session(Aggregate):
    """One signed-in device. `token` is present only at birth; at rest there is its fingerprint."""

    stored_as: ClassVar[str] = "sessions"

    account_id: Annotated[AccountId, plain(Kind.ID, "C6", exported=False)]
    id: Annotated[SessionId, plain(Kind.ID, "C6")]
    token: Annotated[SessionToken | None, index("C6", Found.ANYWHERE)] = None
    created_at: Annotated[datetime, plain(Kind.TIME, "C6")]
    revoked_at: Annotated[datetime | None, plain(Kind.TIME, "T5")] = None

    @classmethod
    def open(cls, account_id: AccountId, session_id: SessionId, token: SessionToken, at: datetime) -> Self:
        """Sign in."""
        session = cls(account_id=account_id, id=session_id, token=token, created_at=at)
        session.record(SignedIn(account_id=account_id, at=at, session_id=session_id))
        return session

    def revoke(self, at: datetime) -> None:
        """Sign out. Repeating is harmless: the first moment stands."""
        if self.revoked_at is None:
            self.revoked_at = at
            self.record(SignedOut(account_id=self.account_id, at=at, session_id=self.id))
