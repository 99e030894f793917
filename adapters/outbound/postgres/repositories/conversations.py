"""Conversations on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import canonical, codec
from adapters.outbound.postgres.decoding import Rows
from adapters.outbound.postgres.reading import ACCOUNT, AGGREGATES, Read, Reader, owned, whole
from adapters.outbound.postgres.repositories.blocked_numbers import BLOCKED_INDEX
from adapters.outbound.postgres.repositories.idempotency import COLUMNS, earlier_result, key_index
from adapters.outbound.postgres.statements import compiled, value
from application.ports.repositories.conversations import (
    ConversationRow,
    Conversations,
    LastMessage,
    MessagingContext,
)
from domain.blocked_numbers import BlockedNumber
from domain.idempotency import IdempotencyRecord, Operation
from domain.kernel import ConversationId, LineId, NotFound, SealBroken
from domain.lines import PhoneLine
from domain.messages import Conversation, Message
from domain.opt_outs import LastingOptOut
from domain.push import PushToken, PushTokenId
from domain.values import Peer

_C, _MESSAGE, _LINE, _RECORD, _STOP = (
    codec(of).table.c for of in (Conversation, Message, PhoneLine, IdempotencyRecord, LastingOptOut)
)
_ID = value("id", _C.id)
_BLOCKED = codec(BlockedNumber).table.c
_DEVICE = codec(PushToken).table.c
_SHOWN = _C.deleted_at.is_(None)
_GET = Read.by(Conversation, whole(Conversation, _C.id == _ID, _SHOWN), "id")
_GET_DELETED = Read.by(Conversation, whole(Conversation, _C.id == _ID, _C.deleted_at.is_not(None)), "id")
_LAST = Rows(codec(Message), LastMessage, LastMessage._fields, prefix="last")
_ROWS = Rows(
    codec(Conversation), ConversationRow, ConversationRow._fields[:-2], beside=_LAST, given=("name",)
)


def _listed() -> sa.Select[Any]:
    """Return a select of conversations, each beside its newest message that is not deleted."""
    newest = sa.select(*_LAST.columns).where(
        owned(Message), _MESSAGE.conversation_id == _C.id, _MESSAGE.deleted_at.is_(None)
    )
    last = newest.order_by(_MESSAGE.id.desc()).limit(sa.literal_column("1")).lateral("last")
    conversations = codec(Conversation).table.outerjoin(last, sa.true())
    own = _ROWS.columns[: -len(_LAST.columns)]
    return sa.select(*own, *last.c).select_from(conversations).where(owned(Conversation), _SHOWN)


_SHOW = compiled(_listed().where(_C.id == _ID), ACCOUNT, "id")


def _page(*, of_line: bool, further: bool) -> str:
    select, names = _listed(), ["limit"]
    if of_line:
        select = select.where(_C.line_id == sa.bindparam("line_id"))
        names.append("line_id")
    if further:
        place = sa.tuple_(
            sa.bindparam("last_at", type_=_C.last_at.type), sa.bindparam("id", type_=_C.id.type)
        )
        select = select.where(sa.tuple_(_C.last_at, _C.id) < place)
        names += ["last_at", "id"]
    select = select.order_by(_C.last_at.desc(), _C.id.desc()).limit(sa.bindparam("limit", type_=sa.Integer()))
    return compiled(select, ACCOUNT, *names)


_PAGES = {
    (of_line, further): _page(of_line=of_line, further=further)
    for of_line, further in product((False, True), repeat=2)
}
_WITH_PEER = Read.by(
    Conversation,
    whole(Conversation, _C.line_id == sa.bindparam("line_id"), _C.peer_index == sa.bindparam("peer"), _SHOWN),
    "line_id",
    "peer",
)
_OF_LINE = _STOP.line_id == sa.bindparam("line_id")
_OPT_OUT = Read.by(
    LastingOptOut, whole(LastingOptOut, _OF_LINE, _STOP.peer == sa.bindparam("peer")), "line_id", "peer"
)
_OPT_OUTS = Read.by(LastingOptOut, whole(LastingOptOut, _OF_LINE), "line_id")
_LINES, _CONVERSATIONS, _STOPS = AGGREGATES[PhoneLine], AGGREGATES[Conversation], AGGREGATES[LastingOptOut]
_CONVERSATION = len(_LINES.columns)
_OPTED_OUT = _CONVERSATION + len(_CONVERSATIONS.columns)
_DONE = _OPTED_OUT + len(_STOPS.columns)


def _context() -> str:
    account = value(ACCOUNT, _C.account_id)
    conversation = sa.and_(
        _C.account_id == account, _C.line_id == sa.bindparam("line_id"), _C.peer_index == sa.bindparam("peer"), _SHOWN
    )  # fmt: skip
    record = sa.and_(_RECORD.account_id == account, _RECORD.key == sa.bindparam("key"))
    joined = codec(PhoneLine).table.outerjoin(codec(Conversation).table, conversation)
    joined = joined.outerjoin(codec(IdempotencyRecord).table, record)
    stop = sa.and_(_STOP.account_id == account, _OF_LINE, _STOP.peer == sa.bindparam("opted_out"))
    joined = joined.outerjoin(codec(LastingOptOut).table, stop)
    columns: tuple[Any, ...] = (
        *_LINES.columns,
        *_CONVERSATIONS.columns,
        *_STOPS.columns,
        *COLUMNS,
        sa.exists().where(_BLOCKED.account_id == account, _BLOCKED.number_index == sa.bindparam("blocked")),
        sa.func.array(sa.select(_DEVICE.id).where(_DEVICE.account_id == account).scalar_subquery()),
    )
    select = (
        sa.select(*columns).select_from(joined).where(owned(PhoneLine), _LINE.id == sa.bindparam("line_id"))
    )
    return compiled(select, ACCOUNT, "line_id", "peer", "key", "opted_out", "blocked")


_CONTEXT = _context()


def is_with(conversation: Conversation, peer: Peer) -> bool:
    """Tell whether a conversation found by a blind index is the one that was looked for."""
    return canonical(conversation.peer) == canonical(peer)


@dataclass(frozen=True, slots=True)
class PostgresConversations(Conversations):
    """`Conversations` of one unit of work."""

    reader: Reader

    @override
    async def get(self, conversation_id: ConversationId) -> Conversation:
        return await self.reader.one(_GET, conversation_id)

    @override
    async def get_even_broken(self, conversation_id: ConversationId) -> Conversation:
        return await self.reader.one(_GET, conversation_id, even_broken=True)

    @override
    async def get_deleted(self, conversation_id: ConversationId) -> Conversation:
        return await self.reader.one(_GET_DELETED, conversation_id, even_broken=True)

    @override
    async def page(
        self, line_id: LineId | None, before: tuple[datetime, ConversationId] | None, limit: int
    ) -> list[ConversationRow]:
        page = _PAGES[line_id is not None, before is not None]
        return await self._rows(page, limit, *([line_id] if line_id else []), *(before or ()))

    @override
    async def shown(self, conversation_id: ConversationId) -> ConversationRow:
        found = await self._rows(_SHOW, conversation_id)
        if not found:
            raise NotFound
        return found[0]

    async def _rows(self, statement: str, *values: object) -> list[ConversationRow]:
        reader = self.reader
        rows = await reader.database.fetch(statement, reader.account_id, *values)
        load = _ROWS.loader(reader.keys.cipher, reader.report_broken, None)
        return [load(row) for row in rows]

    @override
    async def with_peer(self, line_id: LineId, peer: Peer) -> Conversation | None:
        index = self._index("conversations.peer", peer)
        found = await self.reader.maybe(_WITH_PEER, line_id, index, even_broken=True)
        return self._not_put_back(found)

    @override
    async def opt_out(self, line_id: LineId, peer: Peer) -> LastingOptOut | None:
        index = self._index("opt_outs.peer", peer)
        return await self.reader.maybe(_OPT_OUT, line_id, index, even_broken=True)

    @override
    async def opt_outs(self, line_id: LineId) -> list[LastingOptOut]:
        return await self.reader.all(_OPT_OUTS, line_id, even_broken=True)

    @override
    async def context(self, line_id: LineId, peer: Peer, operation: Operation) -> MessagingContext:
        reader = self.reader
        by_key = key_index(reader.keys, operation)
        of_conversation, of_opt_out, of_block = (
            self._index(of, peer) for of in ("conversations.peer", "opt_outs.peer", BLOCKED_INDEX)
        )
        row = await reader.database.first(
            _CONTEXT, reader.account_id, line_id, of_conversation, by_key, of_opt_out, of_block
        )
        if row is None:
            raise NotFound
        line, found, stop, record = (
            row[:_CONVERSATION],
            row[_CONVERSATION:_OPTED_OUT],
            row[_OPTED_OUT:_DONE],
            row[_DONE:-2],
        )
        conversation = None if found[0] is None else reader.loader(_CONVERSATIONS, even_broken=True)(found)
        self._not_put_back(conversation)
        if conversation is not None and not conversation.unreadable and not is_with(conversation, peer):
            reader.refuse_broken(Conversation.stored_as, conversation.id, frozenset({"peer_index"}))
        return MessagingContext(
            reader.loader(_LINES)(line),
            conversation,
            None if record[0] is None else earlier_result(reader, operation, record),
            None if stop[0] is None else reader.loader(_STOPS, even_broken=True)(stop),
            row[-2],
            tuple(map(PushTokenId, row[-1])),
        )

    def _not_put_back(self, found: Conversation | None) -> Conversation | None:
        """Raise SealBroken for one that was deleted: what came into it nobody would see. It can be deleted again."""
        if found is not None and found.outdated:
            raise SealBroken
        return found

    def _index(self, of: str, peer: Peer) -> bytes:
        return self.reader.keys.account_index(of, peer)
