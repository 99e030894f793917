"""Use cases of billing: what is on offer, what is paid for, and the pages on which a person pays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from application.payers import FindPayer
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.jobs import Job
from application.ports.payments import Page, PaymentRefused, Payments
from application.ports.store import Store, Tx
from application.subscription_following import FOLLOW_SUBSCRIPTION, FollowSubscription
from domain.accounts import PendingDeletion
from domain.billing import NotSubscribed, Offer, Offers, PayerRef, PlanName, Subscription, SubscriptionId
from domain.entitlements import Plan
from domain.idempotency import Operation
from domain.kernel import AccountId
from domain.retention import Retention

CHECKOUT_LIVES = timedelta(minutes=40)
"""A page on which nothing was bought is over by then: whoever was not told of a purchase finds it."""


@dataclass(frozen=True, slots=True)
class ListPlans:
    """Shows the plans on offer."""

    offers: Offers

    def __call__(self) -> list[Offer]:
        """Return them, those with the fewest lines first."""
        return sorted(self.offers.on_sale.values(), key=lambda offer: (offer.plan.lines, offer.name))


@dataclass(frozen=True, slots=True)
class Paid:
    """What an account pays for, and what it is entitled to by that or without."""

    subscription: Subscription
    entitled: Plan


@dataclass(frozen=True, slots=True)
class ReadSubscription:
    """Shows what an account pays for, as the provider last said."""

    store: Store
    offers: Offers
    clock: Clock

    async def __call__(self, account_id: AccountId) -> Paid:
        """Return it, an empty one where nothing was ever paid for. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            subscription = await tx.subscriptions.find()
        entitled = self.offers.entitled(subscription, self.clock.now())
        return Paid(subscription or Subscription.begin(account_id), entitled)


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """A page that was opened, by this request or, if `repeated`, by an earlier one with the same key."""

    id: UUID
    page: Page
    repeated: bool


async def _intend(
    tx: Tx, operation: Operation, made: UUID, subscription_id: SubscriptionId, expires_at: datetime
) -> tuple[UUID, bool]:
    """Put on record, as part of `tx`, by which key the provider is about to be asked; or return that of before."""
    account, earlier = await tx.accounts.get(), await tx.idempotency.earlier_result(operation)
    account.must_be_active()
    account.must_be_free()
    if earlier is not None:
        return earlier.must_match(), True
    tx.require_unchanged(account)
    tx.idempotent(operation, made, expires_at)
    # Should nobody tell of it, or the answer be lost: somebody looks.
    tx.queue(Job(FOLLOW_SUBSCRIPTION, account.id, subscription_id, CHECKOUT_LIVES))
    return made, False


@dataclass(frozen=True, slots=True)
class OpenCheckout:
    """Opens the provider's page on which a plan can be bought: the key it is asked with is on record first."""

    store: Store
    payments: Payments
    offers: Offers
    find_payer: FindPayer
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(self, account_id: AccountId, plan: PlanName, key: str) -> OpenedPage:
        """Return the page. Repeating with the same key is harmless: it is the same page.

        Raises PlanNotOffered, AlreadySubscribed, LineLimitReached for a plan of fewer lines than there are,
        PendingDeletion, AccountRestricted, IdempotencyMismatch, PaymentRefused, PaymentsUnavailable.
        """
        offer = self.offers.get(plan)
        payer = await self.find_payer(account_id)
        intent, repeated = await self._intend(account_id, offer, key)
        try:
            page = await self.payments.open_checkout(payer, account_id, plan, intent)
        except PaymentRefused:
            if await self.payments.holds_payer(payer):
                raise
            # Somebody deleted the payer, on the provider's own pages perhaps.
            payer, intent = await self.find_payer.another(account_id, payer), uuid5(intent, payer)
            page = await self.payments.open_checkout(payer, account_id, plan, intent)
        await self._must_still_be_wanted(account_id, payer)
        return OpenedPage(intent, page, repeated)

    async def _intend(self, account_id: AccountId, offer: Offer, key: str) -> tuple[UUID, bool]:
        operation, made = Operation.requested("checkout", key, offer.name), self.ids.random_id()

        async def change(tx: Tx) -> tuple[UUID, bool]:
            subscription = await tx.subscriptions.find() or Subscription.begin(account_id)
            subscription.must_be_free()
            held = sum(line.holds_number for line in await tx.lines.list_all())
            if held > self.offers.free.lines:  # whoever paid for more before: nobody would pay for the others
                offer.plan.must_allow(held)
            expires_at = self.retention.idempotency.ends(self.clock.now())
            return await _intend(tx, operation, made, subscription.id, expires_at)

        return await self.store.update(account_id, change)

    async def _must_still_be_wanted(self, account_id: AccountId, payer: PayerRef) -> None:
        """Close the page again if the account was deleted meanwhile: whoever did so could not see it yet."""
        async with self.store.begin(account_id) as tx:
            account = await tx.accounts.get()
        if not account.is_active:
            await self.payments.close_checkouts(payer)
            raise PendingDeletion


@dataclass(frozen=True, slots=True)
class OpenPortal:
    """Opens the provider's page on which a person sees invoices, changes the card and ends the subscription."""

    store: Store
    payments: Payments

    async def __call__(self, account_id: AccountId) -> Page:
        """Return the page. Repeating opens another one, which costs nothing.

        Raises NotSubscribed, PendingDeletion, PaymentRefused, PaymentsUnavailable.
        """
        async with self.store.begin(account_id) as tx:
            account, subscription = await tx.accounts.get(), await tx.subscriptions.find()
        account.must_be_active()
        if subscription is None or subscription.payer is None:
            raise NotSubscribed
        return await self.payments.open_portal(subscription.payer)


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """Has a subscription be of another plan."""

    store: Store
    payments: Payments
    offers: Offers
    follow_subscription: FollowSubscription
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(self, account_id: AccountId, plan: PlanName, key: str) -> bool:
        """Change it, and ask what came of it; tell whether it was asked for before. Repeatable with the same key.

        Raises PlanNotOffered, NotSubscribed, LineLimitReached for a plan of fewer lines than there are,
        PendingDeletion, AccountRestricted, IdempotencyMismatch, PaymentRefused, PaymentsUnavailable.
        """
        offer = self.offers.get(plan)
        operation, made = Operation.requested("change_plan", key, plan), self.ids.random_id()

        async def change(tx: Tx) -> tuple[PayerRef, UUID, bool]:
            subscription, now = await tx.subscriptions.find(), self.clock.now()
            if subscription is None or subscription.is_over:
                raise NotSubscribed
            payer = subscription.must_be_paid_here()
            offer.plan.must_allow(sum(line.holds_number for line in await tx.lines.list_all()))
            expires_at = self.retention.idempotency.ends(now)
            return payer, *await _intend(tx, operation, made, subscription.id, expires_at)

        payer, intent, repeated = await self.store.update(account_id, change)
        await self.payments.change_plan(payer, plan, intent)
        await self.follow_subscription.ask(account_id)
        return repeated
