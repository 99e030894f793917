"""What Google Play tells unasked."""

from adapters.inbound.webhooks.google_play.push_token import PushToken
from adapters.inbound.webhooks.google_play.webhooks import GOOGLE_PLAY, GooglePlayWebhooks

__all__ = ["GOOGLE_PLAY", "GooglePlayWebhooks", "PushToken"]
