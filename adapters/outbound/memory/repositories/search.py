"""What is searched, in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.repositories.messages import MemoryMessages
from adapters.outbound.memory.rows import Loaded, identity, newest_first
from application.ports.repositories.messages import MessageRow
from application.ports.repositories.search import SearchIndex, SegmentPlace
from domain.kernel import ConversationId, MessageId
from domain.messages import Conversation, Message
from domain.search import Said, SearchSegment, Segment, SegmentId
from domain.values import Peer


@dataclass(frozen=True, slots=True)
class MemorySearchIndex(SearchIndex):
    """`SearchIndex` over one account's rows."""

    loaded: Loaded

    @override
    async def places(self) -> list[SegmentPlace]:
        found = await self.loaded.all(SearchSegment)
        places = [SegmentPlace(one.id, one.first, one.through, one.version) for one in found]
        return sorted(places, key=lambda place: place.through, reverse=True)

    @override
    async def opened(self, place: SegmentPlace) -> Segment:
        return Segment.unpack((await self.get_even_broken(place.id)).content)

    @override
    async def get_even_broken(self, segment_id: SegmentId) -> SearchSegment:
        return await self.loaded.one(SearchSegment, segment_id)

    @override
    async def said_before(self, before: MessageId | None, after: MessageId, limit: int) -> list[Said]:
        shown = await self._shown()
        return [said(m) for m in newest_first(shown) if after < m.id and (before is None or m.id < before)][
            :limit
        ]

    @override
    async def said_after(self, after: MessageId, until: MessageId, limit: int) -> list[Said]:
        shown = await self._shown()
        return [said(m) for m in sorted(shown, key=identity) if after < m.id <= until][:limit]

    @override
    async def shown(self, message_ids: Collection[MessageId]) -> list[MessageRow]:
        messages = MemoryMessages(self.loaded)
        return [await messages.shown(m.id) for m in newest_first(await self._shown()) if m.id in message_ids]

    @override
    async def conversations_with(self, peer: Peer) -> frozenset[ConversationId]:
        found = await self.loaded.all(Conversation, lambda c: c.peer == peer and c.deleted_at is None)
        return frozenset(conversation.id for conversation in found)

    async def _shown(self) -> list[Message]:
        talks = {c.id for c in self.loaded.of(Conversation) if c.deleted_at is None}
        return await self.loaded.all(Message, lambda m: not m.is_deleted and m.conversation_id in talks)


def said(message: Message) -> Said:
    """Return a message as far as it is searched."""
    return Said(message.id, message.conversation_id, message.line_id, message.created_at, message.body)
