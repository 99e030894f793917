"""Twilio's webhooks."""

from adapters.inbound.webhooks.twilio.signature import TwilioSignature
from adapters.inbound.webhooks.twilio.webhooks import TwilioWebhooks

__all__ = ["TwilioSignature", "TwilioWebhooks"]
