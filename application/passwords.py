"""Use cases of choosing another password: with the one before, or with a link from one's mailbox."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from application.credentials import DECOY, VerifyPassword
from application.even_time import in_even_time
from application.mail import MAIL_PASSWORD_RESET
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.ids import Ids
from application.ports.jobs import Job
from application.ports.keyring import KeyGone, Keyring
from application.ports.passwords import PasswordHasher
from application.ports.store import Store, Tx
from application.ports.tokens import Purpose, Tokens
from application.sessions import SignedIn, open_session, revoke_all
from application.sign_up import BadToken
from domain.accounts import Account, PendingDeletion
from domain.guessing import refuse_guessable
from domain.kernel import AccountId, NotFound
from domain.retention import Retention
from domain.values import Email, Password


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Takes another password from somebody signed in. Every session ends, and the one that asks gets a new token."""

    store: Store
    verify_password: VerifyPassword
    hasher: PasswordHasher
    tokens: Tokens
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(self, account_id: AccountId, password: Password, new: Password) -> SignedIn:
        """Return the one session that is open afterwards.

        Raises what `of_caller` does; GuessablePassword, PendingDeletion; ChangedMeanwhile where another change won.
        """
        verified = await self.verify_password.of_caller(account_id, password)
        _refuse_guessable(new, verified)
        async with self.hasher.turn(str(account_id)) as hashing:
            phc = await hashing.hash(new)

        async def change(tx: Tx) -> SignedIn:
            now = self.clock.now()
            account = await tx.accounts.get_even_broken()
            account.must_be_active()
            account.change_password(phc, verified.password, now)
            await revoke_all(tx, now)
            return open_session(tx, account, self.ids, self.tokens, now, self.retention)

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class AskPasswordReset:
    """Has a link mailed by which another password can be chosen.

    For an address without account the same is done, in the same time, to the decoy's: the job that follows finds nobody
    to write to.
    """

    store: Store
    directory: Directory
    keyring: Keyring
    clock: Clock

    async def __call__(self, email: Email) -> None:
        """Queue the mail, if there is anybody to get one. Repeating mails another link, a few times a day."""
        async with (
            in_even_time()
        ):  # the one decoy's rows are found a tenth of a millisecond sooner than others'
            await self._ask(email)

    async def _ask(self, email: Email) -> None:
        account_id = await self.directory.account_by_email(email.canonical) or DECOY
        try:
            await self.keyring.reopen(account_id)  # for a key in use it takes as long as for one that is not
        except KeyGone:
            if account_id == DECOY:
                await self.keyring.create(DECOY)

        async def change(tx: Tx) -> None:
            with suppress(NotFound):  # erased at this moment, or the decoy for the first time
                await tx.accounts.get_even_broken()
                tx.queue(Job(MAIL_PASSWORD_RESET, account_id, account_id))
                return
            if account_id == DECOY:
                tx.save(Account.decoy(DECOY, self.clock.now()))

        with suppress(KeyGone):
            await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """Takes another password from whoever has a link that was mailed. Every session ends, and a new one begins."""

    store: Store
    hasher: PasswordHasher
    tokens: Tokens
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(self, token: str, new: Password) -> SignedIn:
        """Return the one session that is open afterwards. Raises BadToken, LinkUsed, GuessablePassword, Overloaded.

        PendingDeletion when the account waits to be deleted: the new password is taken, and recovers it.
        """
        named = await self.tokens.read(Purpose.PASSWORD_RESET, token, self.clock.now())
        if named is None:
            raise BadToken
        account_id, mark = named
        with suppress(NotFound, KeyGone):
            return await self._reset(account_id, mark, new)
        raise BadToken  # erased since

    async def _reset(self, account_id: AccountId, mark: bytes, new: Password) -> SignedIn:
        async with self.store.begin(account_id) as tx:
            account = await tx.accounts.get()
        account.must_be_at(mark)
        _refuse_guessable(new, account)
        async with self.hasher.turn(str(account_id)) as hashing:
            phc = await hashing.hash(new)

        async def change(tx: Tx) -> SignedIn | None:
            now = self.clock.now()
            account = await tx.accounts.get()
            account.reset_password(phc, mark, now)
            tx.save(account)
            await revoke_all(tx, now)
            if not account.is_active:
                return None
            return open_session(tx, account, self.ids, self.tokens, now, self.retention)

        signed_in = await self.store.update(account_id, change)
        if signed_in is None:
            raise PendingDeletion
        return signed_in


def _refuse_guessable(new: Password, account: Account) -> None:
    """Raise GuessablePassword, also for one made of what is known of its owner."""
    about = {"email": account.email, "display_name": account.display_name}
    refuse_guessable(new, *(said for name, said in about.items() if name not in account.unreadable))
