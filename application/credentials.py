"""Checking that a password belongs to an account: the one place where that is done, in the same time for everybody."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from application.guesses import LimitGuesses
from application.ports.directory import Directory
from application.ports.keyring import KeyGone, Keyring
from application.ports.passwords import PasswordHasher
from application.ports.store import Store
from domain.accounts import Account, PasswordUnreadable
from domain.kernel import AccountId, ErrorKind, NotFound, PicoError
from domain.values import Email, Password

DECOY = AccountId(UUID(int=0))
"""Nobody's account: it has a key, which is opened in place of one that is missing, and perhaps a row (`decoy`)."""


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

    async def by_email(self, email: Email, password: Password, former: str | None = None) -> Account:
        """Return the account. The token of a `former` session there shows that who asks is no stranger.

        Raises WrongCredentials and TooManyGuesses, for unknown addresses after just as long; Overloaded; SealBroken
        for an altered one.
        """
        account_id = await self.directory.account_by_email(email.canonical)
        session = None if former is None else await self.directory.session(former)
        known = session is not None and session.account_id == account_id
        account = await self._verified(account_id, password, email.canonical, known=known)
        account.must_have(email)
        return account

    async def by_id(self, account_id: AccountId, password: Password) -> Account:
        """Return the account, in any state.

        Raises WrongCredentials, also for one that is gone; TooManyGuesses; Overloaded; SealBroken for an altered one.
        """
        return await self._verified(account_id, password, str(account_id), known=False)

    async def of_caller(self, account_id: AccountId, password: Password) -> Account:
        """Return the account of somebody signed in, altered or not: their session vouches for them.

        Raises WrongCredentials, TooManyGuesses, Overloaded, NotFound, PasswordUnreadable.
        """
        async with self.store.begin(account_id) as tx:
            account = await tx.accounts.get_even_broken()
        if _has_no_password(account):
            raise PasswordUnreadable
        if not await self._matches(password, account, str(account_id), str(account_id), known=True):
            raise WrongCredentials
        return account

    async def _verified(
        self, account_id: AccountId | None, password: Password, of: str, *, known: bool
    ) -> Account:
        account = await self._find(account_id)
        matches = await self._matches(password, account, of, str(account_id or of), known=known)
        if not matches or account is None:
            raise WrongCredentials
        account.must_be_whole()
        return account

    async def _matches(
        self, password: Password, account: Account | None, of: str, guessed: str, *, known: bool
    ) -> bool:
        """Tell whether the password is the account's. Only what was checked and is wrong counts as a guess."""
        await self.guesses.take(guessed, known=known)
        matches = True
        try:
            phc = None if account is None or _has_no_password(account) else account.password
            matches = await self.hasher.verify(password, phc, of)
        finally:
            if matches:
                await self.guesses.give_back(guessed, known=known)
        return matches

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


def _has_no_password(account: Account) -> bool:
    """Tell whether the password's hash does not open, so that no password is the right one."""
    return "password" in account.unreadable
