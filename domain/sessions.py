"""Sessions: who is signed in and until when, by a token of which only a keyed fingerprint is kept."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Self

from domain.classification import IndexScope, held
from domain.kernel import AccountId, Aggregate, Event, SessionId
from domain.retention import Retention
from domain.values import Label, SessionToken


def ends(began: datetime, used: datetime, retention: Retention) -> datetime:
    """Return when a session expires: some time after the day on which it was last used, and at most so long in all.

    Of its use no more than the day can be read off that; a session is written at most once a day for it.
    """
    day_after = used.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return min(retention.idle_session.ends(day_after), retention.session.ends(began))


def fingerprint(token: str) -> bytes:
    """Return what tells a token from every other: SHA-256 of it, which has nothing to guess."""
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened(Event):
    """A session began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRevoked(Event):
    """A session was revoked."""


@dataclass(slots=True, kw_only=True)
class Session(Aggregate):
    """One signed-in device. `token` is present only at birth; at rest there are its index, and its sealed fingerprint.

    `ends_at` is when it expires unless it is used before.
    """

    stored_as: ClassVar[str] = "sessions"
    clause: ClassVar[str] = "C6"

    account_id: AccountId
    id: SessionId
    token: Annotated[SessionToken | None, held(index=IndexScope.SYSTEM, readable=False)] = None
    fingerprint: Annotated[bytes, held(exported=False)] = field(default=b"", repr=False)
    """What the row itself says of its token, so that nobody has another token lead to it."""
    created_at: Annotated[datetime, held(bound=True)]
    ends_at: Annotated[datetime, held(bound=True)]
    revoked_at: Annotated[datetime | None, held("T5", final=True)] = None
    label: Label | None = None
    """What the person calls the device, if anything: Pico itself notes nothing of it."""

    def __post_init__(self) -> None:
        """Take the fingerprint of a new token."""
        if self.token is not None:
            self.fingerprint = fingerprint(self.token)

    @classmethod
    def open(
        cls,
        account_id: AccountId,
        session_id: SessionId,
        token: SessionToken,
        at: datetime,
        retention: Retention,
        label: Label | None = None,
    ) -> Self:
        """Sign in."""
        session = cls(
            account_id=account_id,
            id=session_id,
            token=token,
            created_at=at,
            ends_at=ends(at, at, retention),
            label=label,
        )
        session.record(SessionOpened(account_id=account_id, subject=session_id, at=at))
        return session

    def is_opened_by(self, token: str) -> bool:
        """Tell whether this is the token it was opened with, and nobody altered until when it may be used."""
        return not self.altered and hmac.compare_digest(self.fingerprint, fingerprint(token))

    @property
    def is_revoked(self) -> bool:
        """Whether it was ended."""
        return self.revoked_at is not None

    @property
    def usable_until(self) -> datetime:
        """Return when it would have expired."""
        return self.ends_at

    def is_over(self, at: datetime) -> bool:
        """Tell whether it was revoked or has expired."""
        return self.is_revoked or at >= self.ends_at

    def use(self, at: datetime, retention: Retention) -> None:
        """Note that it was used. Repeating is harmless; what has ended stays so."""
        if not self.is_over(at):
            self.ends_at = max(self.ends_at, ends(self.created_at, at, retention))

    def is_listed_by(self, field: str) -> bool:
        """Tell whether its token still opens it."""
        return not self.is_revoked

    def revoke(self, at: datetime) -> None:
        """Sign out. Repeating is harmless: the first moment stands."""
        if self.revoked_at is None:
            self.revoked_at = at
            self.record(SessionRevoked(account_id=self.account_id, subject=self.id, at=at))
