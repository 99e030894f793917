"""Use cases of deletion and recovery: preview, soft-delete, undo within the recovery period."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from application.credentials import VerifyPassword
from application.deletion_counts import previewed
from application.job_type import NOW, JobType
from application.lapsed_lines import settle_lines
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.jobs import JobLease
from application.ports.ledger import ErasureLedger, Fingerprint
from application.ports.store import Store, Tx
from application.ports.tokens import Tokens
from application.renewal import SettleRenewal
from application.sessions import SignedIn, open_session, revoke_all
from domain.accounts import AccountDeletionRequested, NotDue
from domain.billing import Offers, Seller
from domain.kernel import AccountId
from domain.retention import Retention
from domain.values import Email, Password


@dataclass(frozen=True, slots=True)
class DeletionPreview:
    """What deletion would take with it, and when: rows of each kind, and the instant erasure begins.

    `end_in_store` is where the person must end a subscription themselves: nobody else can.
    """

    erase_at: datetime
    lines: int
    conversations: int
    messages: int
    end_in_store: Seller | None = None


@dataclass(frozen=True, slots=True)
class PreviewDeletion:
    """Says what deletion would take with it, before it is asked for."""

    store: Store
    clock: Clock
    retention: Retention

    async def __call__(self, account_id: AccountId) -> DeletionPreview:
        """Return the counts. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            account, rows = await tx.accounts.get_even_broken(), await tx.records.count()
            subscription = await tx.subscriptions.find()
        known = None if account.altered else account.erase_at
        erase_at = known or self.retention.soft_deleted.ends(self.clock.now())
        in_store = subscription is not None and subscription.is_bought_in_store
        seller = subscription.seller if subscription is not None and in_store else None
        return DeletionPreview(erase_at, **previewed(rows), end_in_store=seller)


async def _shut(tx: Tx, now: datetime) -> None:
    """Revoke every session and suspend every line, as part of `tx`."""
    await revoke_all(tx, now)
    for line in await tx.lines.list_all():
        line.suspend()
        tx.save(line)


@dataclass(frozen=True, slots=True)
class ShutAccount:
    """Shuts what began while a soft delete was on its way: a session signed in by then, a line bought by then.

    The soft delete may not have seen it. After that nothing begins any more: what does relies on an active account.
    """

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, _subject: AccountId, lease: JobLease) -> None:
        """Do so as a job, in case whoever deleted the account did not come so far. Repeating is harmless."""
        await self.commit(account_id, lease)

    async def commit(self, account_id: AccountId, lease: JobLease | None = None) -> None:
        """Revoke and suspend, unless the person is back already. Repeating is harmless."""

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get_even_broken()
            tx.require_unchanged(account)
            if not account.is_active:
                await _shut(tx, self.clock.now())

        await self.store.update(account_id, change, completing=lease)


Must = Callable[[Tx], Awaitable[None]]
"""Raises NotDue in the commit that would close an account, unless it is to be closed."""


async def _is_asked_for(_: Tx) -> None:
    """Raise nothing: the person asked for it."""


@dataclass(frozen=True, slots=True)
class DeleteAccount:
    """Soft-deletes: all sessions are revoked, all lines refuse to carry anything, and nothing more is charged."""

    store: Store
    verify_password: VerifyPassword
    clock: Clock
    preview_deletion: PreviewDeletion
    shut_account: ShutAccount
    settle_renewal: SettleRenewal
    ledger: ErasureLedger
    fingerprint: Fingerprint

    async def __call__(
        self, account_id: AccountId, password: Password, *, waived: bool = False
    ) -> DeletionPreview:
        """Return what goes, and when: at once if the person has `waived` the recovery period.

        Repeating is harmless: the first due time stands.

        Raises WrongCredentials, TooManyGuesses, and ClocksDisagree: nobody could say when the 30 days are over.
        """
        await self.verify_password.of_caller(account_id, password)
        await self.clock.agreed()
        preview = await self.preview_deletion(account_id)
        if waived:
            preview = replace(preview, erase_at=self.clock.now())
        await self.note_and_commit(account_id, preview.erase_at)
        return preview

    async def note_and_commit(
        self, account_id: AccountId, erase_at: datetime, must_be_due: Must = _is_asked_for
    ) -> None:
        """Have the ledger know of the request, and close the account. Raises NotDue where `must_be_due` does."""
        name = await self.fingerprint(account_id)
        await self.ledger.note_request(name, erase_at)
        try:
            await self.commit(account_id, erase_at, must_be_due)
        except NotDue:
            if await self.ledger.requested(name) == erase_at:  # and nobody else asked meanwhile
                await self.ledger.note_request(name, None)
            raise

    async def commit(
        self, account_id: AccountId, erase_at: datetime, must_be_due: Must = _is_asked_for
    ) -> None:
        """Close the account until it is recovered or erased."""

        async def change(tx: Tx) -> None:
            await must_be_due(tx)
            now = self.clock.now()
            account = await tx.accounts.get_even_broken()
            account.request_deletion(now, erase_at)
            tx.save(account)
            await _shut(tx, now)

        await self.store.update(account_id, change)
        await self.shut_account.commit(account_id)
        await self.settle_renewal.at_once(account_id)


@dataclass(frozen=True, slots=True)
class EraseOnRequest:
    """Deletes an account for somebody who asked for it by letter, and waived the recovery period."""

    preview_deletion: PreviewDeletion
    delete_account: DeleteAccount
    clock: Clock

    async def __call__(self, account_id: AccountId, *, really: bool) -> DeletionPreview:
        """Return what goes; it goes, as soon as the next sweep comes by, if `really`. Repeating is harmless.

        One that waits to be deleted already waits no longer. Raises ClocksDisagree.
        """
        await self.clock.agreed()
        preview = replace(await self.preview_deletion(account_id), erase_at=self.clock.now())
        if really:
            await self.delete_account.note_and_commit(account_id, preview.erase_at)
        return preview


@dataclass(frozen=True, slots=True)
class RecoverAccount:
    """Undoes a soft delete within the recovery period, with e-mail and password."""

    store: Store
    verify_password: VerifyPassword
    tokens: Tokens
    clock: Clock
    ids: Ids
    retention: Retention
    ledger: ErasureLedger
    fingerprint: Fingerprint
    offers: Offers

    async def __call__(self, email: Email, password: Password) -> SignedIn:
        """Undo the soft delete and sign in. Raises WrongCredentials, TooManyGuesses, Overloaded, NotPendingDeletion."""
        account = await self.verify_password.by_email(email, password)
        if account.is_recoverable(self.clock.now()):
            await self.ledger.note_request(await self.fingerprint(account.id), None)
        return await self.commit(account.id)

    async def commit(self, account_id: AccountId) -> SignedIn:
        """Open the account and its lines again, and one session: no other comes back with it."""

        async def change(tx: Tx) -> SignedIn:
            now = self.clock.now()
            account = await tx.accounts.get_even_broken()
            account.recover(now)
            tx.save(account)
            await revoke_all(tx, now)
            subscription = await tx.subscriptions.find()
            await settle_lines(tx, account, subscription, self.offers, self.retention, now)
            return open_session(tx, account, self.ids, self.tokens, now, self.retention)

        return await self.store.update(account_id, change)


JOBS = (JobType("shut_account", ShutAccount, after={AccountDeletionRequested: NOW}),)
