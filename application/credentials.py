"""Checking that a password belongs to an account: the one place where that is done, in the same time for everybody."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from application.guesses import LimitGuesses
from application.job_type import JobType
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.ids import Ids, made_at
from application.ports.jobs import Job, JobLease
from application.ports.keyring import KeyGone, Keyring
from application.ports.passwords import Hashing, PasswordHasher
from application.ports.store import Store, Tx
from domain.accounts import Account, PasswordUnreadable
from domain.audit import AuditKind
from domain.kernel import AccountId, ErrorKind, NotFound, PicoError
from domain.values import Email, Password

DECOY = AccountId(UUID(int=0))
"""Nobody's account: it has a key, which is opened in place of one that is missing, and perhaps a row (`decoy`)."""


NOTE_REFUSED_SIGN_IN = "note_refused_sign_in"


class WrongCredentials(PicoError):
    """E-mail and password do not belong together."""

    kind = ErrorKind.UNAUTHENTICATED
    code = "wrong_credentials"


@dataclass(frozen=True, slots=True)
class VerifyPassword:
    """Checks that a password belongs to an account: the one place where that is done."""

    store: Store
    directory: Directory
    keyring: Keyring
    hasher: PasswordHasher
    guesses: LimitGuesses
    ids: Ids
    clock: Clock

    async def by_email(self, email: Email, password: Password, former: str | None = None) -> Account:
        """Return the account. The token of a `former` session there shows that who asks is no stranger.

        Raises WrongCredentials and TooManyGuesses, for unknown addresses after just as long; Overloaded; SealBroken
        for an altered one.
        """
        async with self.hasher.turn(email.canonical) as hashing:
            account_id = await self.directory.account_by_email(email.canonical)
            session = None if former is None else await self.directory.session(former)
            known = session is not None and session.account_id == account_id
            try:
                account = await self._verified(hashing, account_id, password, email.canonical, known=known)
            except WrongCredentials:
                await self._have_noted(account_id or DECOY)
                raise
        account.must_have(email)
        return account

    async def by_id(self, account_id: AccountId, password: Password) -> Account:
        """Return the account, in any state.

        Raises WrongCredentials, also for one that is gone; TooManyGuesses; Overloaded; SealBroken for an altered one.
        """
        async with self.hasher.turn(str(account_id)) as hashing:
            return await self._verified(hashing, account_id, password, str(account_id), known=False)

    async def of_caller(self, account_id: AccountId, password: Password) -> Account:
        """Return the account of somebody signed in, altered or not: their session vouches for them.

        Raises WrongCredentials, TooManyGuesses, Overloaded, NotFound, PasswordUnreadable.
        """
        async with self.hasher.turn(str(account_id)) as hashing:
            async with self.store.begin(account_id) as tx:
                account = await tx.accounts.get_even_broken()
            if _has_no_password(account):
                raise PasswordUnreadable
            if not await self._matches(hashing, password, account, str(account_id), known=True):
                raise WrongCredentials
            return account

    async def _verified(
        self, hashing: Hashing, account_id: AccountId | None, password: Password, of: str, *, known: bool
    ) -> Account:
        account = await self._find(account_id)
        matches = await self._matches(hashing, password, account, str(account_id or of), known=known)
        if not matches or account is None:
            raise WrongCredentials
        account.must_be_whole()
        return account

    async def _matches(
        self, hashing: Hashing, password: Password, account: Account | None, guessed: str, *, known: bool
    ) -> bool:
        """Tell whether the password is the account's. Only what was checked and is wrong counts as a guess."""
        await self.guesses.take(guessed, known=known)
        matches = True
        try:
            phc = None if account is None or _has_no_password(account) else account.password
            matches = await hashing.verify(password, phc)
        finally:
            if matches:
                await self.guesses.give_back(guessed, known=known)
        return matches

    async def _have_noted(self, account_id: AccountId) -> None:
        """Queue that the refusal be put on the account's audit log; for an address without account, on nobody's.

        The same commit for both, so that its time tells nothing. Guesses are limited, and so is what they leave.
        """

        async def change(tx: Tx) -> None:
            with suppress(NotFound):  # erased at this moment, or the decoy for the first time
                await tx.accounts.get_even_broken()
                tx.queue(Job(NOTE_REFUSED_SIGN_IN, account_id, self.ids.new()))
                return
            if account_id == DECOY:
                tx.save(Account.decoy(DECOY, self.clock.now()))

        with suppress(KeyGone):
            await self.store.update(account_id, change)

    async def _find(self, account_id: AccountId | None) -> Account | None:
        """Return the account, or None: one that is being erased at this moment counts as gone.

        A key that is in use opens faster than one that is not. So the key is always opened anew, and for nobody the
        decoy's is: the time tells neither whether there is an account nor whether it is in use.
        """
        try:
            await self.keyring.reopen(account_id or DECOY)
        except KeyGone:
            if account_id is None:
                await self.keyring.create(DECOY)
            else:
                account_id = None
        with suppress(KeyGone):
            async with self.store.begin(account_id or DECOY) as tx:
                with suppress(NotFound):  # inside: an end without error takes its time, too
                    found = await tx.accounts.get_even_broken()
                    return None if account_id is None else found
        return None


@dataclass(frozen=True, slots=True)
class NoteRefusedSignIn:
    """Puts on an account's audit log that somebody gave a wrong password for it; on the decoy's, nothing."""

    store: Store

    async def __call__(self, account_id: AccountId, refusal: UUID, lease: JobLease) -> None:
        """Do so as a job; `refusal` is an id that was made when it happened. Repeating is harmless."""

        async def change(tx: Tx) -> None:
            if account_id != DECOY:
                tx.note(AuditKind.SIGN_IN_REFUSED, account_id, made_at(refusal))

        with suppress(KeyGone):
            await self.store.update(account_id, change, completing=lease)


JOBS = (JobType(NOTE_REFUSED_SIGN_IN, NoteRefusedSignIn),)


def _has_no_password(account: Account) -> bool:
    """Tell whether the password's hash does not open, so that no password is the right one."""
    return "password" in account.unreadable
