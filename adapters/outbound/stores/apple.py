"""Apple's App Store Server Notifications, version 2, decoded: what they are about, and how a subscription stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from application.ports.store_purchases import StoreHint, StorePurchase
from domain.billing import BuyerToken, PlanName, PurchaseToken, Seen, Seller, SubscriptionState

STATES: Mapping[int, SubscriptionState] = MappingProxyType({
    1: SubscriptionState.ACTIVE,
    2: SubscriptionState.ENDED,
    3: SubscriptionState.UNPAID,
    4: SubscriptionState.PAST_DUE,
    5: SubscriptionState.ENDED,
})  # fmt: skip
"""Active, expired, in billing retry, in the grace period, revoked."""


def hint_of(notification: Mapping[str, Any], transaction: Mapping[str, Any]) -> StoreHint | None:
    """Return which purchase a notification is about; None for what is about none."""
    ref, original = notification.get("notificationUUID"), transaction.get("originalTransactionId")
    if not isinstance(ref, str) or not isinstance(original, str) or not original:
        return None
    return StoreHint(ref, PurchaseToken.of(Seller.APP_STORE, original))


def purchase_of(
    status: int, transaction: Mapping[str, Any], plans: Mapping[str, PlanName], *, renews: bool
) -> StorePurchase:
    """Return how a subscription stands, given its status, last transaction, and whether it is to be renewed.

    A status that is not known entitles to nothing.
    """
    ends = transaction.get("expiresDate")
    period_ends_at = datetime.fromtimestamp(ends / 1000, UTC) if type(ends) is int else None
    state = STATES.get(status, SubscriptionState.UNPAID)
    over = state is SubscriptionState.ENDED or not renews
    seen = Seen(
        state,
        plans.get(str(transaction.get("productId"))),
        period_ends_at,
        period_ends_at if over else None,
        Seller.APP_STORE,
    )
    token = transaction.get("appAccountToken")
    return StorePurchase(BuyerToken(token.lower()) if isinstance(token, str) and token else None, seen)
