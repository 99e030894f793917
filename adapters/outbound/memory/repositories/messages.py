"""Messages in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.repositories.blocked_numbers import MemoryBlockedNumbers
from adapters.outbound.memory.repositories.conversations import MemoryConversations
from adapters.outbound.memory.rows import Loaded, identity, newest_first
from application.ports.repositories.messages import MessageRow, Messages, Sending
from domain.kernel import CarrierRef, ConversationId, MessageId
from domain.lines import PhoneLine
from domain.messages import Conversation, Direction, Message
from domain.values import PhoneNumber


@dataclass(frozen=True, slots=True)
class MemoryMessages(Messages):
    """`Messages` over one account's rows."""

    loaded: Loaded

    @override
    async def get(self, message_id: MessageId) -> Message:
        return await self.loaded.one(Message, message_id, self._is_shown)

    @override
    async def sending(self, message_id: MessageId) -> Sending:
        message = await self.get(message_id)
        conversation = await MemoryConversations(self.loaded).get(message.conversation_id)
        blocked = await MemoryBlockedNumbers(self.loaded).find(PhoneNumber(conversation.peer))
        line = await self.loaded.one(PhoneLine, message.line_id)
        return Sending(message, line, conversation, blocked is not None)

    @override
    async def get_even_broken(self, message_id: MessageId) -> Message:
        return await self.get(message_id)

    @override
    async def shown(self, message_id: MessageId) -> MessageRow:
        return self._row(await self.get(message_id))

    @override
    async def get_even_deleted(self, message_id: MessageId) -> Message:
        return await self.loaded.one(Message, message_id)

    @override
    async def by_ref(self, ref: CarrierRef) -> Message | None:
        return await self.loaded.maybe(Message, lambda message: message.ref == ref)

    @override
    async def known_refs(self, refs: Sequence[CarrierRef]) -> set[CarrierRef]:
        wanted = set(refs)
        found = await self.loaded.all(Message, lambda message: message.ref in wanted)
        return {message.ref for message in found if message.ref is not None}

    @override
    async def page(
        self, conversation_id: ConversationId, before: MessageId | None, limit: int
    ) -> list[MessageRow]:
        await MemoryConversations(self.loaded).get(conversation_id)
        shown = await self.loaded.all(
            Message, lambda m: m.conversation_id == conversation_id and self._is_shown(m)
        )
        newest = newest_first(m for m in shown if before is None or m.id < before)[:limit]
        return [self._row(m) for m in newest]

    @override
    async def is_unread(self, message: Message) -> bool:
        conversation = await MemoryConversations(self.loaded).get(message.conversation_id)
        kept = await self.loaded.all(
            Message, lambda m: m.conversation_id == conversation.id and not m.is_deleted
        )
        inbound = newest_first(m for m in kept if m.direction is Direction.INBOUND)
        return any(m.id == message.id for m in inbound[: conversation.unread])

    @override
    async def to_purge(self, conversation_id: ConversationId, limit: int) -> list[Message]:
        left = await self.loaded.all(
            Message, lambda m: m.conversation_id == conversation_id and not m.is_deleted
        )
        return sorted(left, key=identity)[:limit]

    @override
    async def with_carrier_copy(self, after: MessageId | None, limit: int) -> list[Message]:
        left = await self.loaded.all(Message, lambda m: m.ref is not None and m.copy_deleted_at is None)
        return sorted((m for m in left if after is None or m.id > after), key=identity)[:limit]

    def _is_shown(self, message: Message) -> bool:
        """Tell whether neither the message nor its conversation was deleted."""
        conversation = self.loaded.rows[Conversation].get(message.conversation_id)
        living = isinstance(conversation, Conversation) and conversation.deleted_at is None
        return living and not message.is_deleted

    def _row(self, m: Message) -> MessageRow:
        conversation = next(c for c in self.loaded.of(Conversation) if c.id == m.conversation_id)
        number = next((line.number for line in self.loaded.of(PhoneLine) if line.id == m.line_id), None)
        return MessageRow(
            m.id, m.conversation_id, m.line_id, m.direction, m.status, m.body, m.created_at, m.attachments, m.failure,
            m.client_reference, m.send_at, conversation.peer, number,
        )  # fmt: skip
