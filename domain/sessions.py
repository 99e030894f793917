"""Sessions: who is signed in, by a token of which only a keyed fingerprint is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Self

from domain.classification import IndexScope, held
from domain.kernel import AccountId, Aggregate, Event, SessionId
from domain.values import SessionToken


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(Event):
    """A session began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRevoked(Event):
    """A session was revoked."""


@dataclass(slots=True, kw_only=True)
class Session(Aggregate):
    """One signed-in device. `token` is present only at birth; at rest there is its fingerprint."""

    stored_as: ClassVar[str] = "sessions"
    clause: ClassVar[str] = "C6"

    account_id: AccountId
    id: SessionId
    token: Annotated[SessionToken | None, held(index=IndexScope.SYSTEM, readable=False)] = None
    created_at: datetime
    revoked_at: Annotated[datetime | None, held("T5")] = None

    @classmethod
    def open(cls, account_id: AccountId, session_id: SessionId, token: SessionToken, at: datetime) -> Self:
        """Sign in."""
        session = cls(account_id=account_id, id=session_id, token=token, created_at=at)
        session.record(SessionOpened(account_id=account_id, subject=session_id, at=at))
        return session

    @property
    def is_revoked(self) -> bool:
        """Whether it was ended."""
        return self.revoked_at is not None

    def is_listed_by(self, field: str) -> bool:
        """Tell whether its token still opens it."""
        return not self.is_revoked

    def revoke(self, at: datetime) -> None:
        """Sign out. Repeating is harmless: the first moment stands."""
        if self.revoked_at is None:
            self.revoked_at = at
            self.record(SessionRevoked(account_id=self.account_id, subject=self.id, at=at))
