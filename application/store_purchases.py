"""Use cases of what a person buys in an app store: whose it is, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.ids import Ids
from application.ports.jobs import Job
from application.ports.keyring import KeyGone
from application.ports.store import Store, Tx
from application.ports.store_purchases import AppStoreUnavailable, StoreHint, StorePurchase, StorePurchases
from application.subscription_following import FOLLOW_SUBSCRIPTION
from domain.billing import BuyerToken, PurchaseToken, Subscription, best_of
from domain.idempotency import Operation
from domain.kernel import AccountId, NotFound
from domain.retention import Retention


@dataclass(frozen=True, slots=True)
class ReadBuyerToken:
    """Tells an app by which token it hands over to the store whose a purchase is."""

    store: Store
    ids: Ids

    async def __call__(self, account_id: AccountId) -> BuyerToken:
        """Return the account's token, drawn at random the first time. Repeating is harmless.

        Raises PendingDeletion, AccountRestricted, SealBroken.
        """

        async def change(tx: Tx) -> BuyerToken:
            account = await tx.accounts.get()
            account.must_be_active()
            account.must_be_free()
            subscription = await tx.subscriptions.find() or Subscription.begin(account_id)
            subscription.must_be_readable()
            if subscription.buyer is None:
                subscription.buyer = BuyerToken(str(self.ids.random_id()))
                tx.save(subscription)
            tx.require_unchanged(account)
            return subscription.buyer

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ReceiveStoreHint:
    """Notes whose purchase it is, as the store says, and has a job ask how it stands."""

    store: Store
    directory: Directory
    store_purchases: StorePurchases
    clock: Clock
    retention: Retention

    async def __call__(self, hint: StoreHint) -> None:
        """Queue the look, once for each hint; for nobody's purchase nothing happens. Repeating is harmless.

        Raises AppStoreUnavailable.
        """
        found = await self.store_purchases.fetch(hint.purchase)
        if found is None or found.buyer is None:
            return
        account_id, operation = await self.directory.buyer(found.buyer), Operation(f"store:{hint.ref}")
        if account_id is None:
            return
        before = await self._before(account_id, hint.purchase)
        counts = before is None or await self._counts_more(hint.purchase, found, before)

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get_even_broken()
            if account.is_being_erased or await tx.idempotency.earlier_result(operation) is not None:
                return
            subscription = await tx.subscriptions.find() or Subscription.begin(account_id)
            subscription.must_be_readable()
            if subscription.purchase not in {before, hint.purchase}:
                raise AppStoreUnavailable  # told of another one just now: the store repeats this
            if counts:
                subscription.purchase = hint.purchase
            tx.save(subscription)
            tx.idempotent(operation, subscription.id, self.retention.idempotency.ends(self.clock.now()))
            tx.queue(Job(FOLLOW_SUBSCRIPTION, account_id, subscription.id))

        try:
            await self.store.update(account_id, change)
        except (NotFound, KeyGone):
            return  # the account is gone

    async def _before(self, account_id: AccountId, purchase: PurchaseToken) -> PurchaseToken | None:
        """Return another purchase by which the account is known so far; None where there is none."""
        try:
            async with self.store.begin(account_id) as tx:
                subscription = await tx.subscriptions.find()
        except (NotFound, KeyGone):
            return None  # as found out below
        known = None if subscription is None else subscription.purchase
        return None if known == purchase else known

    async def _counts_more(
        self, purchase: PurchaseToken, found: StorePurchase, before: PurchaseToken
    ) -> bool:
        """Tell whether a purchase takes the place of the one before: not an older one, nor one of somebody else's."""
        other = await self.store_purchases.fetch(before)
        if other is None or other.buyer != found.buyer or found.takes_over(before):
            return True
        if other.takes_over(purchase) or found.seen.plan is None:
            return False
        return other.seen.plan is None or best_of(other.seen, found.seen) is found.seen
