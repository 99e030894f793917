"""Which events apps are told of, and as what."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from domain.accounts import (
    AccountDeletionRequested,
    AccountFreed,
    AccountFrozen,
    EmailChanged,
    ProfileChanged,
)
from domain.billing import SubscriptionChanged
from domain.blocked_numbers import BlockedNumberAdded, BlockedNumberDeleted
from domain.calls import CallBegan, CallDeleted, CallEnded
from domain.contacts import ContactChanged, ContactDeleted
from domain.exports import ExportReady
from domain.kernel import Event
from domain.lines import (
    LineActivated,
    LineLost,
    LineOrdered,
    LineReleaseCancelled,
    LineReleased,
    LineReleaseRequested,
    LineResumed,
)
from domain.live_kinds import LiveKind
from domain.media import MediaKept
from domain.messages import (
    ConversationDeleted,
    ConversationRead,
    MessageAdvanced,
    MessageQueued,
    MessageReceived,
    MessageScheduled,
    MessageTakenOut,
)
from domain.porting import PortChanged, PortReady, PortRequested
from domain.sessions import SessionOpened, SessionRevoked
from domain.voicemail import (
    VoicemailDeleted,
    VoicemailExpired,
    VoicemailKept,
    VoicemailLeft,
    VoicemailSettled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

TOLD: Mapping[type[Event], LiveKind] = MappingProxyType({
    MessageReceived: LiveKind.MESSAGE_RECEIVED,
    MessageQueued: LiveKind.MESSAGE_QUEUED,
    MessageScheduled: LiveKind.MESSAGE_QUEUED,
    MessageAdvanced: LiveKind.MESSAGE_STATUS,
    MediaKept: LiveKind.MESSAGE_MEDIA,
    MessageTakenOut: LiveKind.MESSAGE_DELETED,
    ConversationRead: LiveKind.CONVERSATION_CHANGED,
    ConversationDeleted: LiveKind.CONVERSATION_DELETED,
    CallBegan: LiveKind.CALL_CHANGED,
    CallEnded: LiveKind.CALL_CHANGED,
    CallDeleted: LiveKind.CALL_DELETED,
    VoicemailLeft: LiveKind.VOICEMAIL_RECEIVED,
    VoicemailKept: LiveKind.VOICEMAIL_CHANGED,
    VoicemailSettled: LiveKind.VOICEMAIL_CHANGED,
    VoicemailExpired: LiveKind.VOICEMAIL_CHANGED,
    VoicemailDeleted: LiveKind.VOICEMAIL_DELETED,
    ContactChanged: LiveKind.CONTACT_CHANGED,
    ContactDeleted: LiveKind.CONTACT_DELETED,
    BlockedNumberAdded: LiveKind.BLOCKED_NUMBER_ADDED,
    BlockedNumberDeleted: LiveKind.BLOCKED_NUMBER_DELETED,
    LineOrdered: LiveKind.LINE_CHANGED,
    LineActivated: LiveKind.LINE_CHANGED,
    LineResumed: LiveKind.LINE_CHANGED,
    LineReleaseRequested: LiveKind.LINE_CHANGED,
    LineReleaseCancelled: LiveKind.LINE_CHANGED,
    LineReleased: LiveKind.LINE_CHANGED,
    LineLost: LiveKind.LINE_CHANGED,
    PortRequested: LiveKind.PORT_REQUEST_CHANGED,
    PortReady: LiveKind.PORT_REQUEST_CHANGED,
    PortChanged: LiveKind.PORT_REQUEST_CHANGED,
    SessionOpened: LiveKind.SESSION_OPENED,
    SessionRevoked: LiveKind.SESSION_REVOKED,
    ProfileChanged: LiveKind.ACCOUNT_CHANGED,
    EmailChanged: LiveKind.ACCOUNT_CHANGED,
    AccountFrozen: LiveKind.ACCOUNT_CHANGED,
    AccountFreed: LiveKind.ACCOUNT_CHANGED,
    AccountDeletionRequested: LiveKind.ACCOUNT_CHANGED,
    ExportReady: LiveKind.EXPORT_READY,
    SubscriptionChanged: LiveKind.SUBSCRIPTION_CHANGED,
})  # fmt: skip
"""What nobody saw is told to nobody: not that something a blocked number sent is deleted, nor each message of a
conversation that goes as a whole.
"""
