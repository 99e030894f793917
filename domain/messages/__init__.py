"""Conversations and the messages in them."""

from __future__ import annotations

from domain.messages.conversation import Conversation, PeerOptedOut
from domain.messages.events import (
    ConversationDeleted,
    MessageAccepted,
    MessageDeleted,
    MessageFinal,
    MessageQueued,
    MessageReceived,
    MessageUnconfirmed,
)
from domain.messages.message import Message
from domain.messages.status import RANK, Direction, Sent, Status

__all__ = [
    "RANK",
    "Conversation",
    "ConversationDeleted",
    "Direction",
    "Message",
    "MessageAccepted",
    "MessageDeleted",
    "MessageFinal",
    "MessageQueued",
    "MessageReceived",
    "MessageUnconfirmed",
    "PeerOptedOut",
    "Sent",
    "Status",
]
