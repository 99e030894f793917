"""The use case that finds who pays for an account, at the provider, and has a payer made where there is none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid5

from application.ports.clock import Clock
from application.ports.payments import Payments
from application.ports.store import Store, Tx
from domain.billing import PayerRef, Subscription
from domain.kernel import AccountId

CLOCK_SKEW = timedelta(minutes=1)
"""How far the provider's clock may be from ours."""
KEYS_LIVE = timedelta(hours=12)
"""Providers remember a key for a day at least: as long as half of that, repeating a request makes nothing twice."""


@dataclass(frozen=True, slots=True)
class FindPayer:
    """Makes one payer for an account, whatever answers get lost: the intent is on record first."""

    store: Store
    payments: Payments
    clock: Clock

    async def __call__(self, account_id: AccountId) -> PayerRef:
        """Return the payer. Repeating is harmless.

        Raises PendingDeletion, SealBroken, PaymentsUnavailable.
        """
        subscription, asked_before = await self._intend(account_id)
        if subscription.payer is not None:
            return subscription.payer
        return await self._note(account_id, await self._make(subscription, asked_before))

    async def another(self, account_id: AccountId, gone: PayerRef) -> PayerRef:
        """Return a payer in the place of one that the provider knows no more. Raises as a call does. Repeatable."""

        async def change(tx: Tx) -> None:
            subscription = await tx.subscriptions.find()
            if subscription is not None:
                subscription.lose_payer(gone)
                tx.save(subscription)

        await self.store.update(account_id, change)
        subscription, _ = await self._intend(account_id)
        if subscription.payer is not None:
            return subscription.payer
        made = await self.payments.make_payer(account_id, uuid5(account_id, gone))
        return await self._note(account_id, made)

    async def _intend(self, account_id: AccountId) -> tuple[Subscription, datetime | None]:
        async def change(tx: Tx) -> tuple[Subscription, datetime | None]:
            account = await tx.accounts.get()
            account.must_be_active()
            subscription = await tx.subscriptions.find() or Subscription.begin(account_id)
            subscription.must_be_whole()
            asked_before = subscription.payer_asked_at
            subscription.ask_for_payer(self.clock.now())
            tx.require_unchanged(account)
            tx.save(subscription)
            return subscription, asked_before

        return await self.store.update(account_id, change)

    async def _make(self, subscription: Subscription, asked_before: datetime | None) -> PayerRef:
        """Make the payer, unless one was made by a request so long ago that its key may be forgotten."""
        if asked_before is not None and self.clock.now() > asked_before + KEYS_LIVE:
            found = await self.payments.find_payers(subscription.account_id, asked_before - CLOCK_SKEW)
            if found:
                return found[0]
        return await self.payments.make_payer(subscription.account_id, subscription.id)

    async def _note(self, account_id: AccountId, payer: PayerRef) -> PayerRef:
        async def change(tx: Tx) -> PayerRef:
            subscription = await tx.subscriptions.find() or Subscription.begin(account_id)
            subscription.payer = subscription.payer or payer
            tx.save(subscription)
            return subscription.payer

        return await self.store.update(account_id, change)


def is_broken(subscription: Subscription) -> bool:
    """Tell whether the row does not say who pays."""
    return subscription.altered or "payer" in subscription.unreadable


async def payers_of(payments: Payments, subscription: Subscription | None, since: datetime) -> list[PayerRef]:
    """Return every payer that an account has or may have: also one of whom only the provider knows.

    `since` is when the account was made, for a row that is not to be believed. Raises PaymentsUnavailable.
    """
    if subscription is None:
        return []
    broken = is_broken(subscription)
    asked_at = since if broken else subscription.payer_asked_at
    if asked_at is None:
        return []
    found = await payments.find_payers(subscription.account_id, asked_at - CLOCK_SKEW)
    known = [] if broken or subscription.payer is None else [subscription.payer]
    return list(dict.fromkeys([*known, *found]))
