"""What Apple's App Store tells unasked."""

from adapters.inbound.webhooks.app_store.signed_data import AppleSignature, roots_of
from adapters.inbound.webhooks.app_store.webhooks import App, AppStoreWebhooks

__all__ = ["App", "AppStoreWebhooks", "AppleSignature", "roots_of"]
