"""SendGrid's webhooks."""

from adapters.inbound.webhooks.sendgrid.signature import SendGridSignature
from adapters.inbound.webhooks.sendgrid.webhooks import SendGridWebhooks

__all__ = ["SendGridSignature", "SendGridWebhooks"]
