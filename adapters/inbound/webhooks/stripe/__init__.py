"""Stripe's webhooks."""

from adapters.inbound.webhooks.stripe.signature import StripeSignature
from adapters.inbound.webhooks.stripe.webhooks import StripeWebhooks

__all__ = ["StripeSignature", "StripeWebhooks"]
