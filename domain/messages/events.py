"""What happens to messages and conversations."""

from __future__ import annotations

from dataclasses import dataclass

from domain.kernel import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(Event):
    """A message came in and is safe with us: the carrier's copy may go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQueued(Event):
    """A message waits to be handed to the carrier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageScheduled(Event):
    """A message waits for its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAccepted(Event):
    """The carrier took a message: from now on it holds a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFinal(Event):
    """A sent message reached its last status: the carrier's copy may go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUnconfirmed(Event):
    """Nobody says any more what became of a sent message: the carrier's copy may go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAdvanced(Event):
    """A sent message has another status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted(Event):
    """The person deleted a message whose carrier copy may still exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationDeleted(Event):
    """The person deleted a whole conversation; its messages are purged batch by batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTakenOut(Event):
    """The person deleted one message of a conversation that stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRead(Event):
    """Nothing in a conversation is unread any more."""
