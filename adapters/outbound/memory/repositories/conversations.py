"""Conversations in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from typing_extensions import override

from adapters.outbound.memory.repositories.idempotency import MemoryIdempotencyRecords
from adapters.outbound.memory.rows import Loaded, newest_first
from application.ports.repositories.conversations import (
    ConversationRow,
    Conversations,
    LastMessage,
    MessagingContext,
)
from domain.blocked_numbers import BlockedNumber
from domain.idempotency import Operation
from domain.kernel import ConversationId, LineId
from domain.lines import PhoneLine
from domain.messages import Conversation, Message
from domain.opt_outs import LastingOptOut
from domain.push import PushToken
from domain.values import Peer


@dataclass(frozen=True, slots=True)
class MemoryConversations(Conversations):
    """`Conversations` over one account's rows."""

    loaded: Loaded

    @override
    async def get(self, conversation_id: ConversationId) -> Conversation:
        return await self.loaded.one(Conversation, conversation_id, lambda c: c.deleted_at is None)

    @override
    async def get_even_broken(self, conversation_id: ConversationId) -> Conversation:
        return await self.get(conversation_id)

    @override
    async def get_deleted(self, conversation_id: ConversationId) -> Conversation:
        return await self.loaded.one(Conversation, conversation_id, lambda c: c.deleted_at is not None)

    @override
    async def shown(self, conversation_id: ConversationId) -> ConversationRow:
        return self._row(await self.get(conversation_id))

    @override
    async def page(
        self, line_id: LineId | None, before: tuple[datetime, ConversationId] | None, limit: int
    ) -> list[ConversationRow]:
        living = await self.loaded.all(
            Conversation, lambda c: c.deleted_at is None and line_id in {None, c.line_id}
        )
        rest = [c for c in living if before is None or (c.last_at, c.id) < before]
        newest = sorted(rest, key=lambda c: (c.last_at, c.id), reverse=True)[:limit]
        return [self._row(c) for c in newest]

    @override
    async def with_peer(self, line_id: LineId, peer: Peer) -> Conversation | None:
        return await self.loaded.maybe(
            Conversation, lambda c: (c.line_id, c.peer, c.deleted_at) == (line_id, peer, None)
        )

    @override
    async def opt_out(self, line_id: LineId, peer: Peer) -> LastingOptOut | None:
        return await self.loaded.maybe(LastingOptOut, lambda o: (o.line_id, o.peer) == (line_id, peer))

    @override
    async def opt_outs(self, line_id: LineId) -> list[LastingOptOut]:
        return await self.loaded.all(LastingOptOut, lambda o: o.line_id == line_id)

    @override
    async def context(self, line_id: LineId, peer: Peer, operation: Operation) -> MessagingContext:
        line = await self.loaded.one(PhoneLine, line_id)
        conversation = await self.with_peer(line_id, peer)
        earlier = await MemoryIdempotencyRecords(self.loaded).earlier_result(operation)
        blocked = (
            await self.loaded.maybe(BlockedNumber, lambda blocked: str(blocked.number) == peer) is not None
        )
        devices = tuple([token.id for token in self.loaded.of(PushToken)])
        return MessagingContext(
            line, conversation, earlier, await self.opt_out(line_id, peer), blocked, devices
        )

    def _row(self, c: Conversation) -> ConversationRow:
        kept = [m for m in self.loaded.of(Message) if m.conversation_id == c.id and not m.is_deleted]
        last = [
            LastMessage(m.id, m.direction, m.status, m.body, m.created_at, m.attachments)
            for m in newest_first(kept)[:1]
        ]
        shown = last[0] if last else None
        return ConversationRow(
            c.id, c.line_id, c.peer, c.last_at, c.unread, c.total, c.opted_out_at, c.created_at, shown, None
        )
