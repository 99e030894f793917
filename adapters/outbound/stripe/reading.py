"""Stripe's objects, cut down to what Pico looks at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from application.ports.payments import PaymentHint, PaymentsUnavailable
from domain.billing import CHARGED, RANK, PayerRef, PlanName, Seen, SubscriptionState

LONGEST = 64
"""Letters of a reference that is kept. Stripe's are shorter, and may be longer one day: then somebody must look."""
STOPPED = "renewal_stopped"
"""Our note at a subscription or an invoice: what would be charged is not, because the account was deleted."""
YES = "1"

STATES: Mapping[str, SubscriptionState] = MappingProxyType({
    "incomplete": SubscriptionState.INCOMPLETE,
    "incomplete_expired": SubscriptionState.ENDED,
    "trialing": SubscriptionState.ACTIVE,
    "active": SubscriptionState.ACTIVE,
    "past_due": SubscriptionState.PAST_DUE,
    "unpaid": SubscriptionState.UNPAID,
    "paused": SubscriptionState.PAUSED,
    "canceled": SubscriptionState.ENDED,
})  # fmt: skip
"""A word that is not here is a state of something that is not over, and entitles to nothing."""
TOLD_OF = (
    "checkout.session.completed", "checkout.session.expired", "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed", "customer.subscription.created", "customer.subscription.updated",
    "customer.subscription.deleted", "customer.subscription.paused", "customer.subscription.resumed",
    "customer.subscription.trial_will_end", "invoice.paid", "invoice.payment_failed",
    "invoice.payment_action_required", "customer.deleted", "charge.refunded", "charge.dispute.created",
)  # fmt: skip
"""The events that say that a look is worth it. Whatever else comes is dropped."""


def ref_of(value: object) -> PayerRef:
    """Return the reference of a customer, given its id or the object. Raises PaymentsUnavailable."""
    ref = value if isinstance(value, str) else value_of(value, "id")
    if not isinstance(ref, str) or not 0 < len(ref) <= LONGEST:
        raise PaymentsUnavailable
    return PayerRef(ref)


def state_of(subscription: Any) -> SubscriptionState:  # noqa: ANN401 - Stripe's object
    """Return where a subscription stands."""
    return STATES.get(str(value_of(subscription, "status")), SubscriptionState.PAUSED)


def is_living(subscription: Any) -> bool:  # noqa: ANN401 - Stripe's object
    """Tell whether a subscription is not over."""
    return state_of(subscription) in CHARGED


def renews(subscription: Any) -> bool:  # noqa: ANN401 - Stripe's object
    """Tell whether a subscription goes on after its period."""
    return not value_of(subscription, "cancel_at_period_end") and value_of(subscription, "cancel_at") is None


def was_stopped(thing: Any) -> bool:  # noqa: ANN401 - Stripe's object
    """Tell whether it bears our note."""
    return bool(value_of(value_of(thing, "metadata"), STOPPED) == YES)


def items_of(subscription: Any) -> list[Any]:  # noqa: ANN401 - Stripe's object
    """Return what a subscription is of: one price, as we sell it."""
    return list(value_of(value_of(subscription, "items"), "data") or ())


def seen(subscriptions: list[Any], plans: Mapping[str, PlanName]) -> Seen:
    """Return what counts of a customer's subscriptions, given which price is of which plan."""
    if not subscriptions:
        return Seen()
    best, *others = in_order(subscriptions)
    items = items_of(best)
    prices = [value_of(value_of(item, "price"), "id") for item in items]
    period_ends_at = next((instant(value_of(item, "current_period_end")) for item in items), None)
    ends_at = instant(value_of(best, "ended_at")) or instant(value_of(best, "cancel_at"))
    if ends_at is None and value_of(best, "cancel_at_period_end"):
        ends_at = period_ends_at
    return Seen(
        state_of(best),
        next((plans[price] for price in prices if price in plans), None),
        period_ends_at,
        ends_at,
        stopped=is_living(best) and was_stopped(best),
        doubled=is_living(best) and renews(best) and any(is_living(one) and renews(one) for one in others),
    )


def in_order(subscriptions: list[Any]) -> list[Any]:
    """Return subscriptions, the one that counts first: the best by its state, of several the oldest."""
    oldest_first = subscriptions[::-1]  # Stripe lists the newest first, and dates by the second
    oldest_first.sort(key=lambda each: int(value_of(each, "created") or 0))
    living = [each for each in oldest_first if is_living(each)]
    over = [each for each in reversed(oldest_first) if not is_living(each)]
    return sorted(living, key=lambda each: RANK.index(state_of(each))) + over


def hint_of(event: object) -> PaymentHint | None:
    """Return whom an event is about, and nothing else of it; None for one that says nothing of a payer.

    Raises PaymentsUnavailable for what is no event.
    """
    about, at = value_of(value_of(event, "data"), "object"), instant(value_of(event, "created"))
    ref, kind = value_of(event, "id"), value_of(event, "type")
    if not isinstance(ref, str) or not 0 < len(ref) <= 255 or at is None:  # noqa: PLR2004 - Stripe's own bound
        raise PaymentsUnavailable
    if kind not in TOLD_OF or about is None:
        return None
    customer = about if value_of(about, "object") == "customer" else value_of(about, "customer")
    return None if customer is None else PaymentHint(ref, ref_of(customer), at)


def instant(seconds: object) -> datetime | None:
    """Return a time as Stripe writes them, in whole seconds; None for none."""
    if type(seconds) is not int:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def value_of(thing: Any, name: str) -> Any:  # noqa: ANN401 - Stripe's objects are no dicts, those of events are
    """Return what an object says under a name; None for nothing."""
    if isinstance(thing, Mapping):
        return thing.get(name)
    try:
        return thing[name]
    except (KeyError, TypeError, IndexError):
        return None
