"""Use cases of sessions: sign in, know who is calling, list, sign out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from application.ports.keyring import KeyGone
from application.ports.store import Directory, Store, Tx
from application.ports.system import Clock, Ids, PasswordHasher, Tokens
from application.unit_of_work import retry_on_version_conflict
from domain.accounts import Account
from domain.kernel import AccountId, ErrorKind, NotFound, PicoError, SessionId
from domain.sessions import Session
from domain.values import Email, Password, SessionToken

MOST_SESSIONS = 50
"""Open sessions of one account; one more revokes the oldest. Signing out of all of them stays one small commit."""


class WrongCredentials(PicoError):
    """E-mail and password do not belong together."""

    kind = ErrorKind.FORBIDDEN
    code = "wrong_credentials"


class Unauthenticated(PicoError):
    """The bearer token is missing, unknown or revoked."""

    kind = ErrorKind.FORBIDDEN
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


async def find_account(store: Store, account_id: AccountId | None) -> Account | None:
    """Return the account, or None: one that is being erased this very moment counts as gone."""
    if account_id is None:
        return None
    try:
        async with store.begin(account_id) as tx:
            return await tx.account()
    except (NotFound, KeyGone):
        return None


def open_session(tx: Tx, account_id: AccountId, ids: Ids, tokens: Tokens, now: datetime) -> SignedIn:
    """Begin a session as part of `tx`."""
    token = tokens.session()
    session = Session.open(account_id, SessionId(ids.new()), token, now)
    tx.save(session)
    return SignedIn(token, session)


@dataclass(frozen=True, slots=True)
class SignIn:
    """Begin a session with e-mail and password."""

    store: Store
    directory: Directory
    hasher: PasswordHasher
    tokens: Tokens
    clock: Clock
    ids: Ids

    async def __call__(self, email: Email, password: Password) -> SignedIn:
        """Do it. Raises WrongCredentials (unknown addresses take just as long), Unverified, PendingDeletion."""
        account_id = await self.directory.account_by_email(email.canonical)
        account = await find_account(self.store, account_id)
        if not await self.hasher.verify(password, account.password if account else None) or account is None:
            raise WrongCredentials
        account.must_be_active()
        if self.hasher.outdated(account.password):
            await self.rehash(account.id, password)
        return await self.commit(account.id)

    @retry_on_version_conflict
    async def rehash(self, account_id: AccountId, password: Password) -> None:
        """Keep the password under today's hashing parameters."""
        phc = await self.hasher.hash(password)
        async with self.store.begin(account_id) as tx:
            account = await tx.account()
            account.rehash(phc)
            tx.save(account)

    @retry_on_version_conflict
    async def commit(self, account_id: AccountId) -> SignedIn:
        """Commit the session, unless the account began to leave meanwhile."""
        async with self.store.begin(account_id) as tx:
            account = await tx.account()
            account.must_be_active()
            tx.require_unchanged(account)
            now = self.clock.now()
            for oldest in (await tx.sessions())[MOST_SESSIONS - 1 :]:
                oldest.revoke(now)
                tx.save(oldest)
            return open_session(tx, account_id, self.ids, self.tokens, now)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Know who is calling."""

    directory: Directory
    tokens: Tokens

    async def __call__(self, token: str) -> Caller:
        """Return the caller. Raises Unauthenticated. Repeating is harmless."""
        if not self.tokens.well_formed(token):
            raise Unauthenticated
        found = await self.directory.session(token)
        if found is None:
            raise Unauthenticated
        return Caller(*found)


@dataclass(frozen=True, slots=True)
class ListSessions:
    """Show a person where they are signed in."""

    store: Store

    async def __call__(self, account_id: AccountId) -> list[Session]:
        """Return the sessions that are not revoked, newest first. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.sessions()


@dataclass(frozen=True, slots=True)
class SignOut:
    """Revoke exactly one session; no data is lost by it."""

    store: Store
    clock: Clock

    @retry_on_version_conflict
    async def __call__(self, account_id: AccountId, session_id: SessionId) -> None:
        """Do it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            session = await tx.session(session_id)
            session.revoke(self.clock.now())
            tx.save(session)


@dataclass(frozen=True, slots=True)
class SignOutOthers:
    """Revoke every session but the caller's own."""

    store: Store
    clock: Clock

    @retry_on_version_conflict
    async def __call__(self, account_id: AccountId, session_id: SessionId) -> None:
        """Do it. Repeating is harmless."""
        now = self.clock.now()
        async with self.store.begin(account_id) as tx:
            for session in await tx.sessions():
                if session.id != session_id:
                    session.revoke(now)
                    tx.save(session)
