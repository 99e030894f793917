"""The use case that follows what a person buys in an app store."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.jobs import Job
from application.ports.keyring import KeyGone
from application.ports.store import Store, Tx
from application.ports.store_purchases import StoreHint, StorePurchases
from application.subscription_following import FOLLOW_SUBSCRIPTION
from domain.billing import Subscription
from domain.idempotency import Operation
from domain.kernel import NotFound
from domain.retention import Retention


@dataclass(frozen=True, slots=True)
class ReceiveStoreHint:
    """Notes whose purchase it is, as the store says, and has a job ask how it stands."""

    store: Store
    store_purchases: StorePurchases
    clock: Clock
    retention: Retention

    async def __call__(self, hint: StoreHint) -> None:
        """Queue the look, once for each hint; for nobody's purchase nothing happens. Repeating is harmless.

        Raises AppStoreUnavailable.
        """
        found = await self.store_purchases.fetch(hint.purchase)
        if found is None or found.account_id is None:
            return
        account_id, operation = found.account_id, Operation(f"store:{hint.ref}")

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get_even_broken()
            if not account.may_receive_mail or await tx.idempotency.earlier_result(operation) is not None:
                return  # it is being erased, or was told before
            subscription = await tx.subscriptions.find() or Subscription.begin(account_id)
            subscription.must_be_readable()
            subscription.purchase = hint.purchase
            tx.save(subscription)
            tx.idempotent(operation, subscription.id, self.retention.idempotency.ends(self.clock.now()))
            tx.queue(Job(FOLLOW_SUBSCRIPTION, account_id, subscription.id))

        try:
            await self.store.update(account_id, change)
        except (NotFound, KeyGone):
            return  # the account is gone
