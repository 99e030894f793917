"""Use cases of signing up: every attempt is an unverified account of its own, with its own key, password and day.

What the request does is the same for every address: it hashes, makes a key, writes one row and queues one job. The
job finds out whether the address is known. So neither the answer nor its time tells.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from application.credentials import VerifyPassword, WrongCredentials
from application.job_type import NOW, JobType
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.ids import Ids
from application.ports.jobs import Job, JobLease
from application.ports.keyring import KeyGone, Keyring
from application.ports.passwords import PasswordHasher
from application.ports.store import Store, Tx
from application.ports.tokens import Tokens
from application.sessions import SignedIn, open_session
from domain.accounts import Account, AccountSignedUp, NotUnverified
from domain.documents import Documents
from domain.guessing import refuse_guessable
from domain.kernel import AccountId, NotFound, PicoError
from domain.retention import Retention
from domain.values import Email, Label, Locale, Password, SignUpPlace


class BadToken(PicoError):
    """The verification token is forged, mangled or expired."""

    code = "bad_token"


LEFT_BY_AN_ATTEMPT = frozenset({"accounts", "audit_entries"})


async def was_used(tx: Tx) -> bool:
    """Tell whether more is here than an attempt to sign up leaves, so that it cannot be one."""
    return any(count for name, count in (await tx.records.count()).items() if name not in LEFT_BY_AN_ATTEMPT)


@dataclass(frozen=True, slots=True)
class SignUp:
    """Takes an attempt to sign up. A mail to the address says what came of it."""

    store: Store
    keyring: Keyring
    hasher: PasswordHasher
    clock: Clock
    ids: Ids
    documents: Documents

    async def __call__(self, email: Email, password: Password, display_name: Label, locale: Locale) -> None:
        """Make an unverified account. Raises GuessablePassword, Overloaded.

        Repeating makes another one and mails another link.
        """
        refuse_guessable(password, email, display_name)
        async with self.hasher.turn(email.canonical) as hashing:
            phc = await hashing.hash(password)
        account_id = AccountId(self.ids.new())
        await self.keyring.create(account_id)
        account = Account.sign_up(
            account_id,
            email=email,
            password=phc,
            display_name=display_name,
            locale=locale,
            at=self.clock.now(),
            documents=self.documents,
        )
        async with self.store.begin(account_id) as tx:
            tx.save(account)


@dataclass(frozen=True, slots=True)
class AnswerSignUp:
    """Mails the link of an attempt; or, if the address has its account, tells the owner that somebody tried.

    An address has `SignUpPlace.MOST` places for attempts. When all are held the oldest attempt is withdrawn, so that
    nobody can keep an owner out by filling them.
    """

    store: Store
    directory: Directory
    clock: Clock

    async def __call__(self, account_id: AccountId, _subject: UUID, lease: JobLease) -> None:
        """Answer the attempt by mail. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            email = (await tx.accounts.get()).email
        known = await self.directory.account_by_email(email.canonical)
        if known is None:
            await self._make_room(SignUpPlace.every(email), account_id)
            await self._take_place(account_id, SignUpPlace.every(email), lease)
            return
        if known != account_id:
            with suppress(NotFound, KeyGone):  # being erased at this moment: nobody is left to be told
                await self.store.update(known, self._tell)
            await self.withdraw(account_id)

    async def withdraw(self, account_id: AccountId) -> None:
        """Erase an attempt before its day is over. Repeating is harmless."""

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get()
            account.withdraw(self.clock.now(), used=account.is_unverified and await was_used(tx))
            tx.save(account)

        with suppress(NotFound, KeyGone):  # erased by somebody faster
            await self.store.update(account_id, change)

    @staticmethod
    async def _tell(tx: Tx) -> None:
        account = await tx.accounts.get()
        tx.queue(Job("mail_already_registered", account.id, account.id))

    async def _make_room(self, places: tuple[SignUpPlace, ...], account_id: AccountId) -> None:
        """Withdraw the oldest attempt if every place is held by another one. Ids rise with time."""
        held = await self.directory.sign_ups(places)
        if account_id not in held and None not in held:
            await self.withdraw(min(holder for holder in held if holder is not None))

    async def _take_place(
        self, account_id: AccountId, places: tuple[SignUpPlace, ...], lease: JobLease
    ) -> None:
        """Hold a free place and have the link mailed, in one commit. Raises VersionConflict when none is free."""

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get()
            held = await self.directory.sign_ups(places)
            if account.is_unverified and account_id not in held:
                free = [place for place, holder in zip(places, held, strict=True) if holder is None]
                account.take_place(free[0] if free else places[0])  # one that is held makes this a lost race
                tx.save(account)
                tx.queue(Job("mail_verification", account_id, account_id))

        await self.store.update(account_id, change, completing=lease)


@dataclass(frozen=True, slots=True)
class VerifyAccount:
    """Turns the link from the mail, and the password typed at that very attempt, into a signed-in session.

    Whoever reads the mail has not chosen the password of an attempt that somebody else made: so both are asked for.
    """

    store: Store
    directory: Directory
    verify_password: VerifyPassword
    tokens: Tokens
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(self, token: str, password: Password) -> SignedIn:
        """Verify the account, once. Raises BadToken, WrongCredentials, TooManyGuesses, Overloaded.

        A link of another attempt, of one used before and of one whose address has its account meanwhile are answered
        like a wrong password.
        """
        account_id = await self.tokens.verified(token, self.clock.now())
        if account_id is None:
            raise BadToken
        await self.verify_password.by_id(account_id, password)

        async def change(tx: Tx) -> SignedIn:
            now = self.clock.now()
            account = await tx.accounts.get()
            if await self.directory.account_by_email(account.email.canonical) is not None:
                raise WrongCredentials
            account.verify(now)
            return open_session(tx, account, self.ids, self.tokens, now, self.retention)

        try:
            return await self.store.update(account_id, change)
        except (NotUnverified, NotFound, KeyGone):
            raise WrongCredentials from None


JOBS = (JobType("answer_sign_up", AnswerSignUp, after={AccountSignedUp: NOW}),)
