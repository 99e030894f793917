"""Use cases of sessions: sign in, know who is calling, list, sign out."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.credentials import VerifyPassword
from application.ports.clock import Clock
from application.ports.directory import Directory, OpenSession
from application.ports.ids import Ids, end_of
from application.ports.keyring import KeyGone
from application.ports.passwords import PasswordHasher
from application.ports.store import Store, Tx, VersionConflict
from application.ports.tokens import Tokens
from application.purge import Purge, PurgeResult
from application.signing_out import sign_out
from domain.accounts import Account
from domain.kernel import AccountId, ErrorKind, NotFound, PicoError, SessionId
from domain.retention import Retention
from domain.sessions import Session, ends
from domain.values import Email, Label, Password, SessionToken

MOST_SESSIONS = 50
"""Open sessions of one account; one more revokes the oldest. Signing out of all of them stays one small commit."""


class Unauthenticated(PicoError):
    """The bearer token is missing, unknown, revoked or expired."""

    kind = ErrorKind.UNAUTHENTICATED
    code = "unauthenticated"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling, and by which session."""

    account_id: AccountId
    session_id: SessionId


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session and its token: the only moment at which the token is known in clear."""

    token: SessionToken
    session: Session


def open_session(
    tx: Tx,
    account: Account,
    ids: Ids,
    tokens: Tokens,
    now: datetime,
    retention: Retention,
    beside: Iterable[Session] = (),
    label: Label | None = None,
) -> SignedIn:
    """Open a session as part of `tx`, listed as newer than those that are open `beside` it.

    It relies on the account being as it was read, and whoever signs in uses the account.
    """
    account.note_use()
    tx.save(account)
    token = tokens.session()
    session_id = SessionId(ids.new(after=end_of(each.id for each in beside)))
    session = Session.open(account.id, session_id, token, now, retention, label)
    tx.save(session)
    return SignedIn(token, session)


async def revoke_all(tx: Tx, now: datetime) -> None:
    """Revoke every open session as part of `tx`."""
    await sign_out(tx, await tx.sessions.list_open(), now)


@dataclass(frozen=True, slots=True)
class SignIn:
    """Opens a session with e-mail and password."""

    store: Store
    verify_password: VerifyPassword
    hasher: PasswordHasher
    tokens: Tokens
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(
        self, email: Email, password: Password, former: str | None = None, label: Label | None = None
    ) -> SignedIn:
        """Return the new session. `former` is the token of an earlier one on the same device, perhaps expired.

        Raises WrongCredentials, TooManyGuesses, Overloaded, PendingDeletion.
        """
        account = await self.verify_password.by_email(email, password, former)
        account.must_be_active()
        if self.hasher.outdated(account.password):
            await self._rehash(account.id, password)
        return await self._open(account.id, label)

    async def _rehash(self, account_id: AccountId, password: Password) -> None:
        async with self.hasher.turn(str(account_id)) as hashing:
            phc = await hashing.hash(password)

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get_even_broken()
            account.rehash(phc)
            tx.save(account)

        await self.store.update(account_id, change)

    async def _open(self, account_id: AccountId, label: Label | None) -> SignedIn:
        """Open the session, unless deletion was asked for meanwhile."""

        async def change(tx: Tx) -> SignedIn:
            account = await tx.accounts.get_even_broken()
            account.must_be_active()
            now = self.clock.now()
            others = await tx.sessions.list_open()
            await sign_out(tx, others[MOST_SESSIONS - 1 :], now)
            return open_session(tx, account, self.ids, self.tokens, now, self.retention, others, label)

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Tells who is calling, and notes once a day that the session was used."""

    store: Store
    directory: Directory
    tokens: Tokens
    clock: Clock
    retention: Retention

    async def __call__(self, token: str) -> Caller:
        """Return the caller. Raises Unauthenticated. Repeating is harmless."""
        if not self.tokens.well_formed(token):
            raise Unauthenticated
        found = await self.directory.session(token)
        now = self.clock.now()
        if found is None or now >= found.ends_at:
            raise Unauthenticated
        if ends(found.began_at, now, self.retention) > found.ends_at:
            await self._note_use(found, now)
        return Caller(found.account_id, found.session_id)

    async def _note_use(self, found: OpenSession, now: datetime) -> None:
        async def change(tx: Tx) -> None:
            session = await tx.sessions.get(found.session_id)
            session.use(now, self.retention)
            tx.save(session)

        # Whoever was faster has noted it, or ended the session.
        with suppress(VersionConflict, NotFound, KeyGone):
            await self.store.update(found.account_id, change)


@dataclass(frozen=True, slots=True)
class ListSessions:
    """Shows a person where they are signed in."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId) -> list[Session]:
        """Return the sessions that are not over, newest first. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            found = await tx.sessions.list_open()
        now = self.clock.now()
        return [session for session in found if not session.is_over(now)]


@dataclass(frozen=True, slots=True)
class SignOut:
    """Revokes exactly one session; no data is lost by it."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, session_id: SessionId) -> None:
        """Revoke the session. Raises NotFound. Repeating is harmless."""

        async def change(tx: Tx) -> None:
            await sign_out(tx, [await tx.sessions.get(session_id)], self.clock.now())

        await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class SignOutOthers:
    """Revokes every session but the caller's own."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, session_id: SessionId) -> None:
        """Revoke all sessions but `session_id`. Repeating is harmless."""

        async def change(tx: Tx) -> None:
            others = [each for each in await tx.sessions.list_open() if each.id != session_id]
            await sign_out(tx, others, self.clock.now())

        await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class PurgeEndedSessions(Purge):
    """Deletes sessions that were revoked, or expired, long enough ago (clause T5)."""

    name: ClassVar[str] = "sessions"

    store: Store
    retention: Retention

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Delete up to `limit` that are due by `now`. Repeating is harmless."""
        before = self.retention.ended_session.cutoff(now)
        revoked = await self.store.purge(Session, "revoked_at", before, limit)
        return PurgeResult(revoked + await self.store.purge(Session, "ends_at", before, limit - revoked))
