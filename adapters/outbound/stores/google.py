"""Google Play's real-time developer notifications, decoded: which purchase they are about, and how one stands.

What a notification says happened is not looked at: Google has a purchase read after each of them. Of what it answers
then, the name and the address of who bought are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from application.ports.store_purchases import StoreHint, StorePurchase
from domain.billing import BuyerToken, PlanName, PurchaseToken, Seen, Seller, SubscriptionState

STATES: Mapping[str, SubscriptionState] = MappingProxyType({
    "SUBSCRIPTION_STATE_PENDING": SubscriptionState.INCOMPLETE,
    "SUBSCRIPTION_STATE_PENDING_PURCHASE_CANCELED": SubscriptionState.NONE,
    "SUBSCRIPTION_STATE_ACTIVE": SubscriptionState.ACTIVE,
    "SUBSCRIPTION_STATE_CANCELED": SubscriptionState.ACTIVE,
    "SUBSCRIPTION_STATE_IN_GRACE_PERIOD": SubscriptionState.PAST_DUE,
    "SUBSCRIPTION_STATE_ON_HOLD": SubscriptionState.UNPAID,
    "SUBSCRIPTION_STATE_PAUSED": SubscriptionState.PAUSED,
    "SUBSCRIPTION_STATE_EXPIRED": SubscriptionState.ENDED,
})  # fmt: skip
"""One that is cancelled goes on until its period ends."""
CANCELED = "SUBSCRIPTION_STATE_CANCELED"
NOT_RENEWED = frozenset({CANCELED, "SUBSCRIPTION_STATE_EXPIRED"})
UNACKNOWLEDGED = "ACKNOWLEDGEMENT_STATE_PENDING"
SUBSCRIPTION = 1
"""The kind of product, of what was given back, that a subscription is."""


def hint_of(ref: str, notification: Mapping[str, Any]) -> StoreHint | None:
    """Return which purchase a notification is about, known by its message's id; None for what is about none of ours."""
    about = notification.get("subscriptionNotification")
    if not isinstance(about, Mapping):
        about = notification.get("voidedPurchaseNotification")
        if not isinstance(about, Mapping) or about.get("productType") != SUBSCRIPTION:
            return None
    token = about.get("purchaseToken")
    if not isinstance(token, str) or not token:
        return None
    return StoreHint(ref, PurchaseToken.of(Seller.PLAY_STORE, token))


def purchase_of(
    subscription: Mapping[str, Any], plans: Mapping[str, PlanName], now: datetime
) -> StorePurchase:
    """Return how a purchase stands, given what `purchases.subscriptionsv2.get` answers.

    A state that is not known entitles to nothing. Of several products the one counts that is a plan and ends last.
    """
    word, item = str(subscription.get("subscriptionState")), item_of(subscription, plans)
    ends, plan = _instant(item.get("expiryTime")), plans.get(str(item.get("productId")))
    state = STATES.get(word, SubscriptionState.UNPAID)
    if word == CANCELED and (ends is None or ends <= now):
        state = SubscriptionState.ENDED
    over = word in NOT_RENEWED or isinstance(item.get("prepaidPlan"), Mapping)
    had = state is SubscriptionState.ACTIVE and plan is not None
    waits = had and subscription.get("acknowledgementState") == UNACKNOWLEDGED
    seen = Seen(state, plan, ends, ends if over else None, Seller.PLAY_STORE, unacknowledged=waits)
    linked = subscription.get("linkedPurchaseToken")
    replaces = PurchaseToken.of(Seller.PLAY_STORE, linked) if isinstance(linked, str) and linked else None
    return StorePurchase(_buyer(subscription), seen, replaces)


def item_of(subscription: Mapping[str, Any], plans: Mapping[str, PlanName]) -> Mapping[str, Any]:
    """Return what was bought: of several, first a plan, and of those the one that ends last. Empty for nothing."""
    listed = subscription.get("lineItems")
    items = [item for item in listed if isinstance(item, Mapping)] if isinstance(listed, list) else []

    def counts(item: Mapping[str, Any]) -> tuple[bool, float]:
        ends = _instant(item.get("expiryTime"))
        return str(item.get("productId")) in plans, 0.0 if ends is None else ends.timestamp()

    return max(items, key=counts, default={})


def _buyer(subscription: Mapping[str, Any]) -> BuyerToken | None:
    """Return whose it is: as the app said, or, of one renewed in Google's own app, as it was said of the one before."""
    context = subscription.get("outOfAppPurchaseContext")
    before = context.get("expiredExternalAccountIdentifiers") if isinstance(context, Mapping) else None
    for said in (subscription.get("externalAccountIdentifiers"), before):
        named = said.get("obfuscatedExternalAccountId") if isinstance(said, Mapping) else None
        if isinstance(named, str) and named:
            return BuyerToken(named)
    return None


def _instant(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None
