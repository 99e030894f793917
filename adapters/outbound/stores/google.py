"""Google Play's real-time developer notifications, decoded: which purchase they are about, and how one stands.

What a notification says happened is not looked at: Google has a purchase read after each of them.
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from application.ports.store_purchases import StoreHint, StorePurchase
from domain.billing import BuyerToken, PlanName, PurchaseToken, Seen, Seller, SubscriptionState

STATES: Mapping[str, SubscriptionState] = MappingProxyType({
    "SUBSCRIPTION_STATE_PENDING": SubscriptionState.INCOMPLETE,
    "SUBSCRIPTION_STATE_ACTIVE": SubscriptionState.ACTIVE,
    "SUBSCRIPTION_STATE_CANCELED": SubscriptionState.ACTIVE,
    "SUBSCRIPTION_STATE_IN_GRACE_PERIOD": SubscriptionState.PAST_DUE,
    "SUBSCRIPTION_STATE_ON_HOLD": SubscriptionState.UNPAID,
    "SUBSCRIPTION_STATE_PAUSED": SubscriptionState.PAUSED,
    "SUBSCRIPTION_STATE_EXPIRED": SubscriptionState.ENDED,
})  # fmt: skip
"""One that is cancelled goes on until its period ends."""
NOT_RENEWED = frozenset({"SUBSCRIPTION_STATE_CANCELED", "SUBSCRIPTION_STATE_EXPIRED"})


def hint_of(push: Mapping[str, Any], package: str) -> StoreHint | None:
    """Return which purchase a pushed message is about; None for another app's, and for what is about none."""
    message = push.get("message")
    if not isinstance(message, Mapping) or not isinstance(message.get("messageId"), str):
        return None
    try:
        said = json.loads(b64decode(str(message.get("data")), validate=True))
    except (NoBase64, ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.get("packageName") != package:
        return None
    about = said.get("subscriptionNotification")
    token = about.get("purchaseToken") if isinstance(about, dict) else None
    if not isinstance(token, str) or not token:
        return None
    return StoreHint(message["messageId"], PurchaseToken.of(Seller.PLAY_STORE, token))


def purchase_of(subscription: Mapping[str, Any], plans: Mapping[str, PlanName]) -> StorePurchase:
    """Return how a purchase stands, given what `purchases.subscriptionsv2.get` answers.

    A state that is not known entitles to nothing.
    """
    word = str(subscription.get("subscriptionState"))
    items = [item for item in subscription.get("lineItems") or () if isinstance(item, Mapping)]
    ends = max((at for item in items if (at := _instant(item.get("expiryTime")))), default=None)
    seen = Seen(
        STATES.get(word, SubscriptionState.UNPAID),
        next((plans[item["productId"]] for item in items if item.get("productId") in plans), None),
        ends,
        ends if word in NOT_RENEWED else None,
        Seller.PLAY_STORE,
    )
    external = subscription.get("externalAccountIdentifiers")
    named = external.get("obfuscatedExternalAccountId") if isinstance(external, Mapping) else None
    return StorePurchase(BuyerToken(named) if isinstance(named, str) and named else None, seen)


def _instant(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None
