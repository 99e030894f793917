"""The audit log: what was done to an account, for ever, and after erasure about nobody.

An entry has two halves. The public half (kind, day, commitment) stays for ever, chained to others by hashes
(domain/audit_chain.py). The account's half (what was done to what, and when, and the salt that opens the commitment)
is sealed and goes with the account; without it the entries that remain can be linked neither to a person nor to each
other.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from domain.accounts import (
    AccountDeletionRequested,
    AccountErasureBegun,
    AccountFreed,
    AccountFrozen,
    AccountRecovered,
    AccountSignedUp,
    AccountVerified,
    AccountWarned,
    AccountWarnedAgain,
    EmailChangeAsked,
    EmailChanged,
    PasswordChanged,
    PasswordReset,
    PrivacyAccepted,
    ProfileChanged,
    TermsAccepted,
)
from domain.billing import SubscriptionChanged
from domain.classification import held
from domain.data_requests import DataRequestAnswered, DataRequestNoted
from domain.exports import ExportDownloaded, ExportRequested
from domain.kernel import AccountId, Aggregate, AuditId, Event
from domain.lines import (
    LineActivated,
    LineLost,
    LineOrdered,
    LineReleaseCancelled,
    LineReleased,
    LineReleaseRequested,
    RecordingRefused,
)
from domain.porting import PortRequested
from domain.sessions import SessionOpened, SessionRevoked
from domain.webhook_endpoints import (
    WebhookEndpointAdded,
    WebhookEndpointChanged,
    WebhookEndpointDeleted,
    WebhookEndpointDisabled,
    WebhookSecretRotated,
)

HOUSE = AccountId(UUID(int=1))
"""Nobody's account: under its key lies what operators did that is about no account, or about one that is gone."""


class AuditKind(StrEnum):
    """What an entry says was done. Texts are not audited: that would be metadata kept for ever."""

    ACCOUNT_SIGNED_UP = "account_signed_up"
    ACCOUNT_VERIFIED = "account_verified"
    PROFILE_CHANGED = "profile_changed"
    ACCOUNT_DELETION_REQUESTED = "account_deletion_requested"
    ACCOUNT_RECOVERED = "account_recovered"
    SESSION_OPENED = "session_opened"
    SESSION_REVOKED = "session_revoked"
    LINE_ORDERED = "line_ordered"
    LINE_ACTIVATED = "line_activated"
    LINE_RELEASE_REQUESTED = "line_release_requested"
    LINE_RELEASE_CANCELLED = "line_release_cancelled"
    LINE_RELEASED = "line_released"
    LINE_LOST = "line_lost"
    EXPORT_REQUESTED = "export_requested"
    EXPORT_DOWNLOADED = "export_downloaded"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word, no password
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a word, no password
    TERMS_ACCEPTED = "terms_accepted"
    PRIVACY_ACCEPTED = "privacy_accepted"
    EMAIL_CHANGE_ASKED = "email_change_asked"
    EMAIL_CHANGED = "email_changed"
    RECORDING_REFUSED = "recording_refused"
    SUBSCRIPTION_CHANGED = "subscription_changed"
    ACCOUNT_ERASURE_BEGUN = "account_erasure_begun"
    SIGN_IN_REFUSED = "sign_in_refused"
    OPERATOR_ACCESS = "operator_access"
    OPERATOR_COUNTED_ACCOUNTS = "operator_counted_accounts"
    OPERATOR_LISTED_ERASURES = "operator_listed_erasures"
    OPERATOR_READ_RECEIPT = "operator_read_receipt"
    OPERATOR_READ_AUDIT_LOG = "operator_read_audit_log"
    OPERATOR_COMPARED_NUMBERS = "operator_compared_numbers"
    OPERATOR_ROTATED_KEYS = "operator_rotated_keys"
    OPERATOR_BACKED_UP = "operator_backed_up"
    OPERATOR_RESTORED = "operator_restored"
    DATA_REQUEST_NOTED = "data_request_noted"
    DATA_REQUEST_ANSWERED = "data_request_answered"
    OPERATOR_HANDLED_REQUESTS = "operator_handled_requests"
    ACCOUNT_KEY_ROTATED = "account_key_rotated"
    ACCOUNT_FROZEN = "account_frozen"
    ACCOUNT_FREED = "account_freed"
    WEBHOOK_ENDPOINT_ADDED = "webhook_endpoint_added"
    WEBHOOK_ENDPOINT_CHANGED = "webhook_endpoint_changed"
    WEBHOOK_ENDPOINT_DELETED = "webhook_endpoint_deleted"
    WEBHOOK_ENDPOINT_DISABLED = "webhook_endpoint_disabled"
    WEBHOOK_SECRET_ROTATED = "webhook_secret_rotated"  # noqa: S105 - a word, no secret
    PORT_REQUESTED = "port_requested"
    ACCOUNT_WARNED = "account_warned"


AUDITED: dict[type[Event], AuditKind] = {
    AccountSignedUp: AuditKind.ACCOUNT_SIGNED_UP,
    AccountVerified: AuditKind.ACCOUNT_VERIFIED,
    ProfileChanged: AuditKind.PROFILE_CHANGED,
    AccountDeletionRequested: AuditKind.ACCOUNT_DELETION_REQUESTED,
    AccountRecovered: AuditKind.ACCOUNT_RECOVERED,
    SessionOpened: AuditKind.SESSION_OPENED,
    SessionRevoked: AuditKind.SESSION_REVOKED,
    LineOrdered: AuditKind.LINE_ORDERED,
    RecordingRefused: AuditKind.RECORDING_REFUSED,
    LineActivated: AuditKind.LINE_ACTIVATED,
    LineReleaseRequested: AuditKind.LINE_RELEASE_REQUESTED,
    LineReleaseCancelled: AuditKind.LINE_RELEASE_CANCELLED,
    LineReleased: AuditKind.LINE_RELEASED,
    LineLost: AuditKind.LINE_LOST,
    ExportRequested: AuditKind.EXPORT_REQUESTED,
    ExportDownloaded: AuditKind.EXPORT_DOWNLOADED,
    PasswordChanged: AuditKind.PASSWORD_CHANGED,
    PasswordReset: AuditKind.PASSWORD_RESET,
    TermsAccepted: AuditKind.TERMS_ACCEPTED,
    PrivacyAccepted: AuditKind.PRIVACY_ACCEPTED,
    EmailChangeAsked: AuditKind.EMAIL_CHANGE_ASKED,
    EmailChanged: AuditKind.EMAIL_CHANGED,
    SubscriptionChanged: AuditKind.SUBSCRIPTION_CHANGED,
    AccountErasureBegun: AuditKind.ACCOUNT_ERASURE_BEGUN,
    AccountFrozen: AuditKind.ACCOUNT_FROZEN,
    AccountFreed: AuditKind.ACCOUNT_FREED,
    PortRequested: AuditKind.PORT_REQUESTED,
    AccountWarned: AuditKind.ACCOUNT_WARNED,
    AccountWarnedAgain: AuditKind.ACCOUNT_WARNED,
    WebhookEndpointAdded: AuditKind.WEBHOOK_ENDPOINT_ADDED,
    WebhookEndpointChanged: AuditKind.WEBHOOK_ENDPOINT_CHANGED,
    WebhookEndpointDeleted: AuditKind.WEBHOOK_ENDPOINT_DELETED,
    WebhookEndpointDisabled: AuditKind.WEBHOOK_ENDPOINT_DISABLED,
    WebhookSecretRotated: AuditKind.WEBHOOK_SECRET_ROTATED,
    DataRequestNoted: AuditKind.DATA_REQUEST_NOTED,
    DataRequestAnswered: AuditKind.DATA_REQUEST_ANSWERED,
}


@dataclass(slots=True, kw_only=True)
class AuditEntry(Aggregate):
    """The account's half of an entry. Its id says when it was made, and orders the person's own page."""

    stored_as: ClassVar[str] = "audit_entries"
    clause: ClassVar[str] = "C14"

    account_id: AccountId
    id: AuditId
    at: Annotated[datetime, held(sealed=True)] = field(repr=False)
    kind: Annotated[AuditKind, held(sealed=True)] = field(repr=False)
    subject: Annotated[UUID, held(sealed=True)] = field(repr=False)
    salt: Annotated[bytes, held(exported=False)] = field(repr=False)

    @classmethod
    def of(cls, event: Event, kind: AuditKind, audit_id: AuditId, salt: bytes) -> AuditEntry:
        """Return the account's half of the entry for an audited event. `salt` is 32 random bytes."""
        return cls(
            account_id=event.account_id, id=audit_id, at=event.at, kind=kind, subject=event.subject, salt=salt
        )

    @property
    def commitment(self) -> bytes:
        """HMAC-SHA-256 under the salt: ties this half to the public one, and says nothing once the salt is gone."""
        said = f"{self.account_id}|{self.id}|{self.kind}|{self.at.isoformat()}|{self.subject}"
        return hmac.digest(self.salt, said.encode(), hashlib.sha256)
