"""Reading conversations. A deleted one counts as absent unless a method says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.contacts import ContactName
from domain.idempotency import EarlierResult, Operation
from domain.kernel import ConversationId, LineId, MessageId
from domain.lines import PhoneLine
from domain.messages import Conversation, Direction, Status
from domain.opt_outs import LastingOptOut
from domain.push import PushTokenId
from domain.values import MessageBody, Peer


@dataclass(frozen=True, slots=True)
class MessagingContext:
    """Everything that receiving or sending a message depends on, read in one look."""

    line: PhoneLine
    conversation: Conversation | None
    earlier: EarlierResult | None
    opt_out: LastingOptOut | None
    """What is left of the peer's STOP when there was a conversation before. It stands, altered or not."""
    blocked: bool
    """Whether the account wants to hear nothing of the peer."""
    devices: tuple[PushTokenId, ...] = ()
    """What the account's devices are woken by."""


class LastMessage(NamedTuple):
    """What a list shows of a conversation's newest message that is not deleted, broken or not."""

    id: MessageId
    direction: Direction
    status: Status
    body: MessageBody | None
    created_at: datetime
    attachments: int


class ConversationRow(NamedTuple):
    """A conversation as a list shows it, broken or not."""

    id: ConversationId
    line_id: LineId
    peer: Peer | None
    last_at: datetime
    unread: int
    total: int
    opted_out_at: datetime | None
    created_at: datetime
    last_message: LastMessage | None
    name: ContactName | None
    """What the person calls the peer, where that was asked for too."""


class Conversations(Protocol):
    """The account's conversations."""

    async def get(self, conversation_id: ConversationId) -> Conversation:
        """Return one conversation. Raises NotFound."""
        ...

    async def get_even_broken(self, conversation_id: ConversationId) -> Conversation:
        """Return one conversation, broken or not. Raises NotFound."""
        ...

    async def get_deleted(self, conversation_id: ConversationId) -> Conversation:
        """Return a conversation, broken or not, that was deleted and has messages to be purged. Raises NotFound."""
        ...

    async def shown(self, conversation_id: ConversationId) -> ConversationRow:
        """Return one conversation as a list shows it. Raises NotFound."""
        ...

    async def page(
        self, line_id: LineId | None, before: tuple[datetime, ConversationId] | None, limit: int
    ) -> list[ConversationRow]:
        """Return up to `limit` by falling (last_at, id), of one line or all, from just before the given place on."""
        ...

    async def with_peer(self, line_id: LineId, peer: Peer) -> Conversation | None:
        """Return the line's conversation with `peer`, broken or not."""
        ...

    async def opt_out(self, line_id: LineId, peer: Peer) -> LastingOptOut | None:
        """Return what is left of `peer`'s STOP when a conversation with them was deleted."""
        ...

    async def opt_outs(self, line_id: LineId) -> list[LastingOptOut]:
        """Return all that is left of STOPs to this line."""
        ...

    async def context(self, line_id: LineId, peer: Peer, operation: Operation) -> MessagingContext:
        """Return the line, its conversation with `peer`, their STOP or block, and what an earlier `operation` came to.

        Raises NotFound. The conversation may be broken: that holds up no message that comes in.
        """
        ...
