"""Telnyx's webhooks."""

from adapters.inbound.webhooks.telnyx.signature import TelnyxSignature
from adapters.inbound.webhooks.telnyx.voice import TelnyxVoice
from adapters.inbound.webhooks.telnyx.voicemail import TelnyxVoicemail
from adapters.inbound.webhooks.telnyx.webhooks import TelnyxWebhooks

__all__ = ["TelnyxSignature", "TelnyxVoice", "TelnyxVoicemail", "TelnyxWebhooks"]
