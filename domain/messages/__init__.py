"""Conversations and the messages in them."""

from __future__ import annotations

from domain.messages.conversation import Conversation, PeerOptedOut
from domain.messages.events import (
    ConversationDeleted,
    ConversationRead,
    MessageAccepted,
    MessageAdvanced,
    MessageDeleted,
    MessageFinal,
    MessageQueued,
    MessageReceived,
    MessageScheduled,
    MessageTakenOut,
    MessageUnconfirmed,
)
from domain.messages.message import Message
from domain.messages.schedule import NotInTime, NotScheduled, must_be_in_time
from domain.messages.status import RANK, Direction, Receipt, Sent, Status

__all__ = [
    "RANK",
    "Conversation",
    "ConversationDeleted",
    "ConversationRead",
    "Direction",
    "Message",
    "MessageAccepted",
    "MessageAdvanced",
    "MessageDeleted",
    "MessageFinal",
    "MessageQueued",
    "MessageReceived",
    "MessageScheduled",
    "MessageTakenOut",
    "MessageUnconfirmed",
    "NotInTime",
    "NotScheduled",
    "PeerOptedOut",
    "Receipt",
    "Sent",
    "Status",
    "must_be_in_time",
]
