"""Reading messages. A deleted message, or one of a deleted conversation, counts as absent unless a method says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.failures import FailureReason
from domain.kernel import CarrierRef, ConversationId, LineId, MessageId
from domain.lines import PhoneLine
from domain.messages import Conversation, Direction, Message, Status
from domain.values import ClientReference, MessageBody, Peer, PhoneNumber


class MessageRow(NamedTuple):
    """A message as a list shows it, broken or not, with both ends: the other side, and the line's number."""

    id: MessageId
    conversation_id: ConversationId
    line_id: LineId
    direction: Direction
    status: Status
    body: MessageBody | None
    created_at: datetime
    attachments: int
    failure: FailureReason | None
    client_reference: ClientReference | None
    send_at: datetime | None
    peer: Peer | None
    number: PhoneNumber | None


class Sending(NamedTuple):
    """A message about to be handed over, and what tells whether it may be; `blocked`: its recipient."""

    message: Message
    line: PhoneLine
    conversation: Conversation
    blocked: bool


class Messages(Protocol):
    """The account's messages."""

    async def get(self, message_id: MessageId) -> Message:
        """Return one message. Raises NotFound."""
        ...

    async def sending(self, message_id: MessageId) -> Sending:
        """Return one message with its line and its conversation, in one look. Raises NotFound."""
        ...

    async def get_even_broken(self, message_id: MessageId) -> Message:
        """Return one message, broken or not. Raises NotFound."""
        ...

    async def shown(self, message_id: MessageId) -> MessageRow:
        """Return one message as a list shows it. Raises NotFound."""
        ...

    async def get_even_deleted(self, message_id: MessageId) -> Message:
        """Return one message, deleted and broken ones included. Raises NotFound."""
        ...

    async def by_ref(self, ref: CarrierRef) -> Message | None:
        """Return the message that the carrier knows by `ref`, deleted and broken ones included."""
        ...

    async def known_refs(self, refs: Sequence[CarrierRef]) -> set[CarrierRef]:
        """Return those of `refs` by which the carrier knows a message here, deleted and broken ones included."""
        ...

    async def page(
        self, conversation_id: ConversationId, before: MessageId | None, limit: int
    ) -> list[MessageRow]:
        """Return up to `limit` of a conversation, newest first, from just before the given one on. Raises NotFound."""
        ...

    async def is_unread(self, message: Message) -> bool:
        """Tell whether a message is among the newest inbound ones, as many as its conversation counts as unread."""
        ...

    async def to_purge(self, conversation_id: ConversationId, limit: int) -> list[Message]:
        """Return up to `limit` messages of a deleted conversation that are not deleted themselves, in order of id.

        Broken ones are included.
        """
        ...

    async def with_carrier_copy(self, after: MessageId | None, limit: int) -> list[Message]:
        """Return up to `limit` messages with a carrier reference whose copy is not known to be gone, in order of id.

        Deleted messages are included: theirs may be the only trace left. So are broken ones.
        """
        ...
