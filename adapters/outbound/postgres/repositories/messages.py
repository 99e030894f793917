"""Messages on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.decoding import Rows
from adapters.outbound.postgres.reading import ACCOUNT, AGGREGATES, Read, Reader, owned, whole
from adapters.outbound.postgres.repositories.blocked_numbers import PostgresBlockedNumbers
from adapters.outbound.postgres.statements import compiled, value
from application.ports.repositories.messages import MessageRow, Messages, Sending
from domain.blocked_numbers import BlockedNumber
from domain.kernel import CarrierRef, ConversationId, MessageId, NotFound
from domain.lines import PhoneLine
from domain.messages import Conversation, Direction, Message
from domain.values import PhoneNumber

_C, _CONVERSATION, _LINE = (codec(of).table.c for of in (Message, Conversation, PhoneLine))
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


KEPT_IN_SHOWN = sa.and_(_KEPT, _in_shown(_C.conversation_id))
"""The condition that neither a message nor its conversation is deleted."""
_GET = Read.by(Message, whole(Message, _C.id == _ID, _KEPT, _in_shown(_C.conversation_id)), "id")
_WHOLE, _WHOLE_LINE, _WHOLE_CONVERSATION = (AGGREGATES[of] for of in (Message, PhoneLine, Conversation))
_LINE_AT = len(_WHOLE.columns)
_CONVERSATION_AT = _LINE_AT + len(_WHOLE_LINE.columns)


def _sending() -> str:
    conversation = sa.and_(
        owned(Conversation), _CONVERSATION.id == _C.conversation_id, _CONVERSATION.deleted_at.is_(None)
    )
    joined = codec(Message).table.join(codec(Conversation).table, conversation)
    joined = joined.join(codec(PhoneLine).table, sa.and_(owned(PhoneLine), _LINE.id == _C.line_id))
    columns: tuple[Any, ...] = (*_WHOLE.columns, *_WHOLE_LINE.columns, *_WHOLE_CONVERSATION.columns)
    blocks = sa.exists().where(owned(BlockedNumber))
    select = sa.select(*columns, blocks).select_from(joined).where(owned(Message), _C.id == _ID, _KEPT)
    return compiled(select, ACCOUNT, "id")


_SENDING = _sending()
_GET_EVEN_DELETED = Read.by(Message, whole(Message, _C.id == _ID), "id")
_BY_REF = Read.by(Message, whole(Message, _C.ref == sa.bindparam("ref")), "ref")
_KNOWN_REFS = compiled(
    sa.select(_C.ref).where(
        owned(Message), _C.ref == sa.any_(sa.bindparam("refs", type_=postgresql.ARRAY(_C.ref.type)))
    ),
    ACCOUNT, "refs",
)  # fmt: skip
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
_ROWS = Rows(codec(Message), MessageRow, MessageRow._fields[:-2], given=MessageRow._fields[-2:])
_PEER = Rows(codec(Conversation), lambda peer: peer, ("peer",))
_NUMBER = Rows(codec(PhoneLine), lambda number: number, ("number",))
_WIDTH = len(_ROWS.columns)
_ENDS = _WIDTH + len(_PEER.columns)


def _page(*more: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return a select of a conversation's messages: one row without any if it has none, and no row if it is not there.

    The ends are the same for all of them: the first row has them, and no other.
    """
    place = sa.func.row_number().over(order_by=_C.id.desc()).label("place")
    newest = sa.select(*_ROWS.columns, place).where(owned(Message), _C.conversation_id == _OF, _KEPT, *more)
    page = newest.order_by(_C.id.desc()).limit(_LIMIT).subquery("page")
    *messages, at = page.c
    ends = [
        sa.case((at > sa.literal_column("1"), None), else_=end) for end in (*_PEER.columns, *_NUMBER.columns)
    ]
    line = sa.and_(owned(PhoneLine), _LINE.id == _CONVERSATION.line_id)
    joined = codec(Conversation).table.outerjoin(codec(PhoneLine).table, line).outerjoin(page, sa.true())
    here = sa.select(*messages, *ends).select_from(joined)
    return here.where(
        owned(Conversation), _CONVERSATION.id == _OF, _CONVERSATION.deleted_at.is_(None)
    ).order_by(at)


_PAGE = compiled(_page(), ACCOUNT, "conversation_id", "limit")
_PAGE_BEFORE = compiled(_page(_C.id < sa.bindparam("before")), ACCOUNT, "conversation_id", "limit", "before")


def select_shown(*where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return a select of messages with both their ends, for `shown_rows`."""
    conversation = sa.and_(
        owned(Conversation), _CONVERSATION.id == _C.conversation_id, _CONVERSATION.deleted_at.is_(None)
    )
    line = sa.and_(owned(PhoneLine), _LINE.id == _C.line_id)
    joined = codec(Message).table.join(codec(Conversation).table, conversation)
    joined = joined.outerjoin(codec(PhoneLine).table, line)
    columns: tuple[Any, ...] = (*_ROWS.columns, *_PEER.columns, *_NUMBER.columns)
    return sa.select(*columns).select_from(joined).where(owned(Message), _KEPT, *where)


def shown_rows(reader: Reader, rows: Sequence[Any]) -> list[MessageRow]:
    """Return messages of any conversations, each with its own ends."""
    cipher, broken = reader.keys.cipher, reader.report_broken
    peer, number = (of.loader(cipher, broken) for of in (_PEER, _NUMBER))
    ends = ((peer(row[_WIDTH:_ENDS]), None if row[_ENDS] is None else number(row[_ENDS:])) for row in rows)
    return [_ROWS.loader(cipher, broken, *of)(row) for row, of in zip(rows, ends, strict=True)]


_SHOW = compiled(select_shown(_C.id == _ID), ACCOUNT, "id")


def _unread() -> str:
    unread = sa.select(_CONVERSATION.unread).where(owned(Conversation), _CONVERSATION.id == _OF)
    inbound = _C.direction == sa.literal_column(f"'{Direction.INBOUND}'")
    newest = sa.select(_C.id).where(owned(Message), _C.conversation_id == _OF, _KEPT, inbound)
    newest = newest.order_by(_C.id.desc()).limit(
        sa.func.greatest(unread.scalar_subquery(), sa.literal_column("0"))
    )
    among = newest.subquery("newest")
    return compiled(
        sa.select(sa.literal_column("1")).where(among.c.id == _ID), ACCOUNT, "conversation_id", "id"
    )


_UNREAD = _unread()


@dataclass(frozen=True, slots=True)
class PostgresMessages(Messages):
    """`Messages` of one unit of work."""

    reader: Reader

    @override
    async def get(self, message_id: MessageId) -> Message:
        return self._shown(await self.reader.one(_GET, message_id))

    @override
    async def sending(self, message_id: MessageId) -> Sending:
        reader = self.reader
        row = await reader.database.first(_SENDING, reader.account_id, message_id)
        if row is None:
            raise NotFound
        message = self._shown(reader.loader(_WHOLE)(row[:_LINE_AT]))
        line = reader.loader(_WHOLE_LINE)(row[_LINE_AT:_CONVERSATION_AT])
        conversation = reader.loader(_WHOLE_CONVERSATION)(row[_CONVERSATION_AT:-1])
        blocked = (
            row[-1] and await PostgresBlockedNumbers(reader).find(PhoneNumber(conversation.peer)) is not None
        )
        return Sending(message, line, conversation, blocked)

    @override
    async def get_even_broken(self, message_id: MessageId) -> Message:
        return self._shown(await self.reader.one(_GET, message_id, even_broken=True))

    def _shown(self, message: Message) -> Message:
        self._must_not_be_over(message.conversation_id)
        return message

    def _must_not_be_over(self, conversation_id: ConversationId) -> None:
        """Raise NotFound, and the alarm, for a deleted conversation that somebody put back, with what was in it."""
        if conversation_id.bytes in self.reader.keys.cipher.ended:
            self.reader.report_broken(Conversation.stored_as, conversation_id, frozenset({"deleted_at"}))
            raise NotFound

    @override
    async def get_even_deleted(self, message_id: MessageId) -> Message:
        return await self.reader.one(_GET_EVEN_DELETED, message_id, even_broken=True)

    @override
    async def by_ref(self, ref: CarrierRef) -> Message | None:
        return await self.reader.maybe(_BY_REF, ref, even_broken=True)

    @override
    async def known_refs(self, refs: Sequence[CarrierRef]) -> set[CarrierRef]:
        rows = await self.reader.database.fetch(_KNOWN_REFS, self.reader.account_id, list(refs))
        return {CarrierRef(row[0]) for row in rows}

    @override
    async def page(
        self, conversation_id: ConversationId, before: MessageId | None, limit: int
    ) -> list[MessageRow]:
        if before is None:
            return await self._rows(_PAGE, conversation_id, limit)
        return await self._rows(_PAGE_BEFORE, conversation_id, limit, before)

    @override
    async def shown(self, message_id: MessageId) -> MessageRow:
        (found,) = await self._rows(_SHOW, message_id)
        return found

    async def _rows(self, statement: str, *values: object) -> list[MessageRow]:
        """Return messages of one conversation, all with its ends. Raises NotFound when there is no row."""
        reader = self.reader
        rows = await reader.database.fetch(statement, reader.account_id, *values)
        if not rows:
            raise NotFound
        cipher, broken = reader.keys.cipher, reader.report_broken
        peer = _PEER.loader(cipher, broken)(rows[0][_WIDTH:_ENDS])
        line = rows[0][_ENDS:]
        number = None if line[0] is None else _NUMBER.loader(cipher, broken)(line)
        load = _ROWS.loader(cipher, broken, peer, number)
        found = [load(row) for row in rows if row[0] is not None]
        if found:
            self._must_not_be_over(found[0].conversation_id)
        return found

    @override
    async def is_unread(self, message: Message) -> bool:
        rows = await self.reader.database.fetch(
            _UNREAD, self.reader.account_id, message.conversation_id, message.id
        )
        return bool(rows)

    @override
    async def to_purge(self, conversation_id: ConversationId, limit: int) -> list[Message]:
        return await self.reader.all(_TO_PURGE, conversation_id, limit, even_broken=True)

    @override
    async def with_carrier_copy(self, after: MessageId | None, limit: int) -> list[Message]:
        return await self.reader.all(_WITH_CARRIER_COPY, after or _FIRST, limit, even_broken=True)
