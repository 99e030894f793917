"""Messages on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.decoding import Rows
from adapters.outbound.postgres.reading import Read, Reader, RowRead, owned, whole
from adapters.outbound.postgres.repositories.conversations import PostgresConversations
from adapters.outbound.postgres.statements import value
from application.ports.repositories.messages import MessageRow, Messages
from domain.kernel import CarrierRef, ConversationId, MessageId
from domain.messages import Conversation, Message

_C, _CONVERSATION = (codec(of).table.c for of in (Message, Conversation))
_ID, _OF = value("id", _C.id), value("conversation_id", _C.conversation_id)
_LIMIT = sa.bindparam("limit", type_=sa.Integer())
_KEPT = _C.deleted_at.is_(None)
_FIRST = UUID(int=0)
"""Comes before every id."""


def _in_shown(conversation_id: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
    """Return the condition that the conversation is not deleted: its messages vanish with it, before their purge."""
    found = sa.exists().where(
        owned(Conversation), _CONVERSATION.id == conversation_id, _CONVERSATION.deleted_at.is_(None)
    )
    return found.correlate(codec(Message).table)


_GET = Read.by(Message, whole(Message, _C.id == _ID, _KEPT, _in_shown(_C.conversation_id)), "id")
_GET_EVEN_DELETED = Read.by(Message, whole(Message, _C.id == _ID), "id")
_BY_REF = Read.by(Message, whole(Message, _C.ref == sa.bindparam("ref")), "ref")
_TO_PURGE = Read.by(
    Message, whole(Message, _C.conversation_id == _OF, _KEPT).order_by(_C.id).limit(_LIMIT), "conversation_id", "limit"
)  # fmt: skip
_WITH_CARRIER_COPY = Read.by(
    Message,
    whole(Message, _C.id > sa.bindparam("after"), _C.ref.is_not(None), _C.copy_deleted_at.is_(None))
    .order_by(_C.id)
    .limit(_LIMIT),
    "after",
    "limit",
)
_ROWS = Rows(codec(Message), MessageRow, MessageRow._fields)
_NEWEST = (
    sa.select(*_ROWS.columns)
    .where(owned(Message), _C.conversation_id == _OF, _KEPT, _in_shown(_OF))
    .order_by(_C.id.desc())
    .limit(_LIMIT)
)
_PAGE = RowRead.by(_ROWS, _NEWEST, "conversation_id", "limit")
_PAGE_BEFORE = RowRead.by(
    _ROWS, _NEWEST.where(_C.id < sa.bindparam("before")), "conversation_id", "limit", "before"
)


@dataclass(frozen=True, slots=True)
class PostgresMessages(Messages):
    """`Messages` of one unit of work."""

    reader: Reader

    @override
    async def get(self, message_id: MessageId) -> Message:
        return await self.reader.one(_GET, message_id)

    @override
    async def get_even_broken(self, message_id: MessageId) -> Message:
        return await self.reader.one(_GET, message_id, even_broken=True)

    @override
    async def get_even_deleted(self, message_id: MessageId) -> Message:
        return await self.reader.one(_GET_EVEN_DELETED, message_id, even_broken=True)

    @override
    async def by_ref(self, ref: CarrierRef) -> Message | None:
        return await self.reader.maybe(_BY_REF, ref, even_broken=True)

    @override
    async def page(
        self, conversation_id: ConversationId, before: MessageId | None, limit: int
    ) -> list[MessageRow]:
        if before is None:
            found = await self.reader.rows(_PAGE, conversation_id, limit)
        else:
            found = await self.reader.rows(_PAGE_BEFORE, conversation_id, limit, before)
        if not found:
            await PostgresConversations(self.reader).get(conversation_id)  # empty, or not there at all?
        return found

    @override
    async def to_purge(self, conversation_id: ConversationId, limit: int) -> list[Message]:
        return await self.reader.all(_TO_PURGE, conversation_id, limit, even_broken=True)

    @override
    async def with_carrier_copy(self, after: MessageId | None, limit: int) -> list[Message]:
        return await self.reader.all(_WITH_CARRIER_COPY, after or _FIRST, limit, even_broken=True)
