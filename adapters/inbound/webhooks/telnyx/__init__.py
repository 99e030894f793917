"""Telnyx's webhooks."""

from adapters.inbound.webhooks.telnyx.signature import TelnyxSignature
from adapters.inbound.webhooks.telnyx.webhooks import TelnyxWebhooks

__all__ = ["TelnyxSignature", "TelnyxWebhooks"]
