"""A typed client of Pico's API, one method an operation, by the names of its OpenAPI document."""

from __future__ import annotations

from pico_client.accounts import Account, Accounts, DeletionPreview, RestrictionInForce, UnreachableBy
from pico_client.audit_log import AuditEntry, AuditLog
from pico_client.billing import Billing, Buyer, Checkout, Plan, Portal, Subscription
from pico_client.blocked_numbers import BlockedNumber, BlockedNumbers
from pico_client.contacts import Contact, ContactImport, Contacts, Skip
from pico_client.events import Event, Events
from pico_client.exports import Export, Exports
from pico_client.greetings import Greeting, Greetings
from pico_client.health import Health, HealthChecks
from pico_client.legal import Legal, PolicyClause, PolicyProof, PrivacyPolicy, PublicKey, PublicKeys
from pico_client.lines import AvailableNumber, DoNotDisturb, Line, Lines, MonthlyPrice
from pico_client.messages import (
    Conversation,
    LastMessage,
    Message,
    MessageEstimate,
    Messages,
    Picture,
    Receipt,
    WholeMessage,
)
from pico_client.phone_calls import Call, PhoneCalls, VoiceToken
from pico_client.port_requests import PortRequest, PortRequests
from pico_client.problems import Flaw, Problem
from pico_client.push_tokens import PushToken, PushTokens
from pico_client.sandbox import CallPlayed, Clock, MessageAccepted, Sandbox, StoredMail
from pico_client.searches import Searches
from pico_client.sessions import Session, SignedIn
from pico_client.voicemails import Voicemail, VoicemailDeletion, Voicemails
from pico_client.webhook_endpoints import (
    SignedWebhookEndpoint,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEndpoints,
)

__all__ = [
    "Account",
    "AuditEntry",
    "AvailableNumber",
    "BlockedNumber",
    "Buyer",
    "Call",
    "CallPlayed",
    "Checkout",
    "Clock",
    "Contact",
    "ContactImport",
    "Conversation",
    "DeletionPreview",
    "DoNotDisturb",
    "Event",
    "Export",
    "Flaw",
    "Greeting",
    "Health",
    "LastMessage",
    "Line",
    "Message",
    "MessageAccepted",
    "MessageEstimate",
    "MonthlyPrice",
    "Pico",
    "Picture",
    "Plan",
    "PolicyClause",
    "PolicyProof",
    "PortRequest",
    "Portal",
    "PrivacyPolicy",
    "Problem",
    "PublicKey",
    "PublicKeys",
    "PushToken",
    "Receipt",
    "RestrictionInForce",
    "SandboxPico",
    "Session",
    "SignedIn",
    "SignedWebhookEndpoint",
    "Skip",
    "StoredMail",
    "Subscription",
    "UnreachableBy",
    "VoiceToken",
    "Voicemail",
    "VoicemailDeletion",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WholeMessage",
]


class Pico(
    Accounts,
    Lines,
    PortRequests,
    Messages,
    PhoneCalls,
    Voicemails,
    Greetings,
    Contacts,
    BlockedNumbers,
    Searches,
    Events,
    PushTokens,
    WebhookEndpoints,
    Billing,
    Exports,
    AuditLog,
    Legal,
    HealthChecks,
):
    """One person's way to Pico. See `Calls` for what it takes and raises."""


class SandboxPico(Pico, Sandbox):
    """The same in a Sandbox, whose clock, mails and carrier can be played with."""
