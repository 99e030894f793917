"""Use cases of an account's life: sign up, verify, read, correct, leave, come back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from application.ports.jobs import Job, JobKind
from application.ports.keyring import KeyGone, Keyring
from application.ports.store import Directory, Store, VersionConflict
from application.ports.system import Clock, Ids, PasswordHasher, Tokens
from application.sessions import SignedIn, WrongCredentials, find_account, open_session
from application.unit_of_work import retry_on_version_conflict
from domain.accounts import Account, AccountState
from domain.kernel import AccountId, NotFound, PicoError
from domain.retention import Retention
from domain.values import Email, Label, Locale, Password, PasswordHash


class BadToken(PicoError):
    """The verification token is forged, mangled, expired, or was used already."""

    code = "bad_token"


@dataclass(frozen=True, slots=True)
class DeletionPreview:
    """What deletion would take with it, and when: rows of each kind, and the instant erasure begins."""

    erase_at: datetime
    lines: int
    conversations: int
    messages: int


@dataclass(frozen=True, slots=True)
class SignUp:
    """Make an account, unverified, and mail a link. Known addresses get another mail and the same answer."""

    store: Store
    directory: Directory
    keyring: Keyring
    hasher: PasswordHasher
    clock: Clock
    ids: Ids

    async def __call__(self, email: Email, password: Password, display_name: Label, locale: Locale) -> None:
        """Do it. Repeating mails another link."""
        phc = await self.hasher.hash(password)  # for known addresses too: the time it takes must not tell
        known = await self.directory.account_by_email(email.canonical)
        if known is not None:
            with suppress(NotFound, KeyGone):  # being erased this very moment: the address is free soon
                await self.again(known, phc, display_name, locale)
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
            # The same address signed up in this very moment; that attempt mails the link.
            await self.keyring.destroy(account_id)

    @retry_on_version_conflict
    async def again(
        self, account_id: AccountId, phc: PasswordHash, display_name: Label, locale: Locale
    ) -> None:
        """Start an unverified sign-up over; tell the owner of a verified address that somebody tried."""
        async with self.store.begin(account_id) as tx:
            account = await tx.account()
            if account.state is AccountState.UNVERIFIED:
                account.sign_up_again(
                    password=phc, display_name=display_name, locale=locale, at=self.clock.now()
                )
                tx.save(account)
            else:
                tx.queue(Job(JobKind.MAIL_KNOWN, account_id, account_id))


@dataclass(frozen=True, slots=True)
class VerifyAccount:
    """Turn the link from the mail into a signed-in session."""

    store: Store
    tokens: Tokens
    clock: Clock
    ids: Ids
    retention: Retention

    @retry_on_version_conflict
    async def __call__(self, token: str) -> SignedIn:
        """Do it, once. Raises BadToken."""
        now = self.clock.now()
        account_id = await self.tokens.verified(token, now)
        if account_id is None:
            raise BadToken
        try:
            async with self.store.begin(account_id) as tx:
                account = await tx.account()
                # Links of earlier attempts expire at other times: only the newest attempt's own link will do.
                newest = await self.tokens.verification(
                    account_id, account.created_at + self.retention.unverified
                )
                if account.state is not AccountState.UNVERIFIED or token != newest:
                    raise BadToken
                account.verify(now)
                tx.save(account)
                return open_session(tx, account_id, self.ids, self.tokens, now)
        except (NotFound, KeyGone):
            raise BadToken from None


@dataclass(frozen=True, slots=True)
class ReadAccount:
    """Show a person what is known about them."""

    store: Store

    async def __call__(self, account_id: AccountId) -> Account:
        """Return the account. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.account()


@dataclass(frozen=True, slots=True)
class ChangeProfile:
    """Correct name or locale (the right of rectification)."""

    store: Store
    clock: Clock

    @retry_on_version_conflict
    async def __call__(
        self, account_id: AccountId, display_name: Label | None, locale: Locale | None
    ) -> Account:
        """Return the corrected account. None leaves a field as it is. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            account = await tx.account()
            account.change_profile(display_name, locale, self.clock.now())
            tx.save(account)
            return account


@dataclass(frozen=True, slots=True)
class PreviewDeletion:
    """Say what deletion would take with it, before it is asked for."""

    store: Store
    clock: Clock
    retention: Retention

    async def __call__(self, account_id: AccountId) -> DeletionPreview:
        """Return the counts. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            account, rows = await tx.account(), await tx.count_records()
        erase_at = account.erase_at or self.clock.now() + self.retention.soft_deleted
        return DeletionPreview(erase_at, rows["phone_lines"], rows["conversations"], rows["messages"])


@dataclass(frozen=True, slots=True)
class DeleteAccount:
    """Soft-delete: in one commit all sessions are revoked and all lines refuse to carry anything."""

    store: Store
    hasher: PasswordHasher
    clock: Clock
    preview_deletion: PreviewDeletion

    async def __call__(self, account_id: AccountId, password: Password) -> DeletionPreview:
        """Do it. Raises WrongCredentials. Repeating is harmless: the first due time stands."""
        async with self.store.begin(account_id) as tx:
            account = await tx.account()
        if not await self.hasher.verify(password, account.password):
            raise WrongCredentials
        preview = await self.preview_deletion(account_id)
        await self.commit(account_id, preview.erase_at)
        return preview

    @retry_on_version_conflict
    async def commit(self, account_id: AccountId, erase_at: datetime) -> None:
        """Commit the soft delete."""
        now = self.clock.now()
        async with self.store.begin(account_id) as tx:
            account = await tx.account()
            account.request_deletion(now, erase_at)
            tx.save(account)
            for session in await tx.sessions():
                session.revoke(now)
                tx.save(session)
            for line in await tx.lines():
                line.suspend()
                tx.save(line)


@dataclass(frozen=True, slots=True)
class RecoverAccount:
    """Come back within the recovery period, with e-mail and password."""

    store: Store
    directory: Directory
    hasher: PasswordHasher
    tokens: Tokens
    clock: Clock
    ids: Ids

    async def __call__(self, email: Email, password: Password) -> SignedIn:
        """Undo the soft delete and sign in. Raises WrongCredentials or NotPendingDeletion."""
        account_id = await self.directory.account_by_email(email.canonical)
        account = await find_account(self.store, account_id)
        if not await self.hasher.verify(password, account.password if account else None) or account is None:
            raise WrongCredentials
        return await self.commit_recovery(account.id)

    @retry_on_version_conflict
    async def commit_recovery(self, account_id: AccountId) -> SignedIn:
        """Commit the recovery."""
        now = self.clock.now()
        async with self.store.begin(account_id) as tx:
            account = await tx.account()
            account.recover(now)
            tx.save(account)
            for line in await tx.lines():
                line.resume()
                tx.save(line)
            return open_session(tx, account_id, self.ids, self.tokens, now)
