"""What is searched, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.cache import Cache
from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.decoding import Rows
from adapters.outbound.postgres.reading import ACCOUNT, Read, Reader, RowRead, owned, whole
from adapters.outbound.postgres.repositories.messages import KEPT_IN_SHOWN, select_shown, shown_rows
from adapters.outbound.postgres.statements import compiled
from application.ports.repositories.messages import MessageRow
from application.ports.repositories.search import SearchIndex, SegmentPlace
from domain.kernel import AccountId, ConversationId, MessageId
from domain.messages import Conversation, Message
from domain.search import Said, SearchSegment, Segment, SegmentId
from domain.values import Peer

MEMORY = 64 << 20
"""Bytes of opened segments that a process keeps, of all accounts together."""
IDLE_SECONDS = 60.0

_C, _CONVERSATION, _SEGMENT = (codec(of).table.c for of in (Message, Conversation, SearchSegment))
_LIMIT = sa.bindparam("limit", type_=sa.Integer())
_AFTER, _LAST = UUID(int=0), UUID(int=2**128 - 1)
_PLACES = compiled(
    sa.select(_SEGMENT.id, _SEGMENT.first, _SEGMENT.through, _SEGMENT.version)
    .where(owned(SearchSegment))
    .order_by(_SEGMENT.through.desc()),
    ACCOUNT,
)
_GET = Read.by(SearchSegment, whole(SearchSegment, _SEGMENT.id == sa.bindparam("id")), "id")
_SAID = Rows(codec(Message), Said, Said._fields)
_BETWEEN = sa.and_(_C.id > sa.bindparam("after"), KEPT_IN_SHOWN)
_SAID_BEFORE = RowRead.by(
    _SAID,
    sa.select(*_SAID.columns)
    .where(owned(Message), _BETWEEN, _C.id < sa.bindparam("before"))
    .order_by(_C.id.desc())
    .limit(_LIMIT),
    "before", "after", "limit",
)  # fmt: skip
_SAID_AFTER = RowRead.by(
    _SAID,
    sa.select(*_SAID.columns)
    .where(owned(Message), _BETWEEN, _C.id <= sa.bindparam("until"))
    .order_by(_C.id)
    .limit(_LIMIT),
    "after", "until", "limit",
)  # fmt: skip
_SHOWN = compiled(
    select_shown(_C.id == sa.any_(sa.bindparam("ids", type_=postgresql.ARRAY(postgresql.UUID())))).order_by(
        _C.id.desc()
    ),
    ACCOUNT, "ids",
)  # fmt: skip
_WITH = compiled(
    sa.select(_CONVERSATION.id).where(
        owned(Conversation), _CONVERSATION.peer_index == sa.bindparam("peer"), _CONVERSATION.deleted_at.is_(None)
    ),
    ACCOUNT, "peer",
)  # fmt: skip

Opened = Cache[tuple[AccountId, SegmentId, int], Segment]


def segments_in_memory() -> Opened:
    """Return where a process keeps opened segments: in bounded memory, and only while they are used."""
    return Cache(size=MEMORY, size_of=lambda _, segment: segment.size, idle_seconds=IDLE_SECONDS)


@dataclass(frozen=True, slots=True)
class PostgresSearchIndex(SearchIndex):
    """`SearchIndex` of one unit of work: whoever has one has opened the account's key."""

    reader: Reader
    memory: Opened

    @override
    async def places(self) -> list[SegmentPlace]:
        rows = await self.reader.database.fetch(_PLACES, self.reader.account_id)
        return [SegmentPlace(*row) for row in rows]

    @override
    async def opened(self, place: SegmentPlace) -> Segment:
        async def load(_: object) -> Segment:
            return Segment.unpack((await self.reader.one(_GET, place.id)).content)

        return await self.memory.get((self.reader.account_id, place.id, place.version), load)

    @override
    async def get_even_broken(self, segment_id: SegmentId) -> SearchSegment:
        return await self.reader.one(_GET, segment_id, even_broken=True)

    @override
    async def said_before(self, before: MessageId | None, after: MessageId, limit: int) -> list[Said]:
        return await self.reader.rows(_SAID_BEFORE, before or _LAST, after, limit)

    @override
    async def said_after(self, after: MessageId, until: MessageId, limit: int) -> list[Said]:
        return await self.reader.rows(_SAID_AFTER, after, until, limit)

    @override
    async def shown(self, message_ids: Collection[MessageId]) -> list[MessageRow]:
        rows: list[Any] = await self.reader.database.fetch(_SHOWN, self.reader.account_id, list(message_ids))
        ended = self.reader.keys.cipher.ended  # of a conversation that somebody put back nothing is shown
        found = shown_rows(self.reader, rows)
        return [row for row in found if row.conversation_id.bytes not in ended]

    @override
    async def conversations_with(self, peer: Peer) -> frozenset[ConversationId]:
        index = self.reader.keys.account_index("conversations.peer", peer)
        rows = await self.reader.database.fetch(_WITH, self.reader.account_id, index)
        return frozenset(row[0] for row in rows)
