"""Use cases of an account's own page: read, correct."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.store import Store, Tx
from domain.accounts import Account
from domain.documents import Documents
from domain.kernel import AccountId
from domain.values import Label, Locale


@dataclass(frozen=True, slots=True)
class ReadAccount:
    """Shows a person what is known about them."""

    store: Store

    async def __call__(self, account_id: AccountId) -> Account:
        """Return the account. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.accounts.get_even_broken()


@dataclass(frozen=True, slots=True)
class ChangeProfile:
    """Corrects name or locale (the right of rectification)."""

    store: Store
    clock: Clock

    async def __call__(
        self,
        account_id: AccountId,
        display_name: Label | None,
        locale: Locale | None,
        versions: frozenset[int] | None = None,
    ) -> Account:
        """Return the corrected account. None leaves a field as it is. Repeating is harmless.

        Raises ChangedMeanwhile unless it is at one of `versions`, where some are named.
        """

        async def change(tx: Tx) -> Account:
            account = await tx.accounts.get_even_broken()
            account.must_be_one_of(versions)
            account.change_profile(display_name, locale, self.clock.now())
            tx.save(account)
            return account

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class AcceptDocuments:
    """Notes that a person has read and accepted documents that changed since."""

    store: Store
    clock: Clock
    documents: Documents

    async def __call__(self, account_id: AccountId, terms: int | None, privacy: int | None) -> Account:
        """Return the account. Raises OtherVersion. None says nothing of a document. Repeating is harmless."""

        async def change(tx: Tx) -> Account:
            account = await tx.accounts.get()
            account.accept(terms, privacy, self.documents, self.clock.now())
            tx.save(account)
            return account

        return await self.store.update(account_id, change)
