"""Use cases of an account: sign up, verify, read, correct."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.ids import Ids
from application.ports.jobs import Job
from application.ports.keyring import KeyGone, Keyring
from application.ports.passwords import PasswordHasher
from application.ports.store import Store, Tx, VersionConflict
from application.ports.tokens import Tokens
from application.sessions import SignedIn, open_session
from domain.accounts import Account
from domain.kernel import AccountId, NotFound, PicoError
from domain.retention import Retention
from domain.values import Email, Label, Locale, Password, PasswordHash


class BadToken(PicoError):
    """The verification token is forged, mangled, expired, or was used already."""

    code = "bad_token"


@dataclass(frozen=True, slots=True)
class SignUp:
    """Makes an account, unverified, and mails a link. Known addresses get another mail and the same answer."""

    store: Store
    directory: Directory
    keyring: Keyring
    hasher: PasswordHasher
    clock: Clock
    ids: Ids

    async def __call__(self, email: Email, password: Password, display_name: Label, locale: Locale) -> None:
        """Make the account. Raises Overloaded. Repeating mails another link."""
        phc = await self.hasher.hash(password)  # for known addresses too: the time it takes must not tell
        known = await self.directory.account_by_email(email.canonical)
        if known is not None:
            with suppress(NotFound, KeyGone):  # being erased at this moment: the address is free soon
                await self._again(known, phc, display_name, locale)
            return
        account_id = AccountId(self.ids.new())
        await self.keyring.create(account_id)
        account = Account.sign_up(
            account_id,
            email=email,
            password=phc,
            display_name=display_name,
            locale=locale,
            at=self.clock.now(),
        )
        try:
            async with self.store.begin(account_id) as tx:
                tx.save(account)
        except VersionConflict:
            # The same address signed up at the same moment; that attempt mails the link.
            await self.keyring.destroy(account_id)

    async def _again(
        self, account_id: AccountId, phc: PasswordHash, display_name: Label, locale: Locale
    ) -> None:
        """Start an unverified sign-up over; tell the owner of a verified address that somebody tried."""

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get()
            if account.is_unverified:
                account.sign_up_again(
                    password=phc, display_name=display_name, locale=locale, at=self.clock.now()
                )
                tx.save(account)
            else:
                tx.queue(Job("mail_already_registered", account_id, account_id))

        await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class VerifyAccount:
    """Turns the link from the mail into a signed-in session."""

    store: Store
    tokens: Tokens
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(self, token: str) -> SignedIn:
        """Verify the account, once. Raises BadToken."""
        now = self.clock.now()
        account_id = await self.tokens.verified(token, now)
        if account_id is None:
            raise BadToken

        async def change(tx: Tx) -> SignedIn:
            account = await tx.accounts.get()
            # Links of earlier attempts expire at other times: only the newest attempt's own link will do.
            expires_at = self.retention.unverified.ends(account.created_at)
            newest = await self.tokens.verification(account_id, expires_at)
            if not account.is_unverified or token != newest:
                raise BadToken
            account.verify(now)
            tx.save(account)
            return open_session(tx, account_id, self.ids, self.tokens, now)

        try:
            return await self.store.update(account_id, change)
        except (NotFound, KeyGone):
            raise BadToken from None


@dataclass(frozen=True, slots=True)
class ReadAccount:
    """Shows a person what is known about them."""

    store: Store

    async def __call__(self, account_id: AccountId) -> Account:
        """Return the account. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.accounts.get()


@dataclass(frozen=True, slots=True)
class ChangeProfile:
    """Corrects name or locale (the right of rectification)."""

    store: Store
    clock: Clock

    async def __call__(
        self, account_id: AccountId, display_name: Label | None, locale: Locale | None
    ) -> Account:
        """Return the corrected account. None leaves a field as it is. Repeating is harmless."""

        async def change(tx: Tx) -> Account:
            account = await tx.accounts.get()
            account.change_profile(display_name, locale, self.clock.now())
            tx.save(account)
            return account

        return await self.store.update(account_id, change)
