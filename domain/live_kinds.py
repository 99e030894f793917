"""The closed list of what may happen, as apps and webhook endpoints are told of it."""

from __future__ import annotations

from enum import StrEnum


class LiveKind(StrEnum):
    """What may happen. Apps pass over what they do not know: there will be more."""

    MESSAGE_RECEIVED = "message.received"
    MESSAGE_QUEUED = "message.queued"
    MESSAGE_STATUS = "message.status"
    MESSAGE_MEDIA = "message.media"
    MESSAGE_DELETED = "message.deleted"
    CONVERSATION_CHANGED = "conversation.changed"
    CONVERSATION_DELETED = "conversation.deleted"
    CALL_CHANGED = "call.changed"
    CALL_DELETED = "call.deleted"
    VOICEMAIL_RECEIVED = "voicemail.received"
    VOICEMAIL_CHANGED = "voicemail.changed"
    VOICEMAIL_DELETED = "voicemail.deleted"
    LINE_CHANGED = "line.changed"
    SESSION_OPENED = "session.opened"
    SESSION_REVOKED = "session.revoked"
    ACCOUNT_CHANGED = "account.changed"
    EXPORT_READY = "export.ready"
    SUBSCRIPTION_CHANGED = "subscription.changed"
    CONTACT_CHANGED = "contact.changed"
    CONTACT_DELETED = "contact.deleted"
    BLOCKED_NUMBER_ADDED = "blocked_number.added"
    BLOCKED_NUMBER_DELETED = "blocked_number.deleted"
    PORT_REQUEST_CHANGED = "port_request.changed"
    WEBHOOK_TEST = "webhook.test"
    """Nothing happened: somebody tries a webhook endpoint, which alone is told."""
