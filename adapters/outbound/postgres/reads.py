"""A unit of work's looks at the database: each is one statement, and sees what is committed at that moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from adapters.outbound.postgres.codec import CODECS, Codec, Keys
from adapters.outbound.postgres.pool import Database
from application.inventory import INVENTORY, Stored
from application.ports.store import MessagingContext
from application.ports.system import Ids
from application.unit_of_work import PendingWrites
from domain.accounts import Account
from domain.exports import Export, ExportPart
from domain.idempotency import EarlierResult, Operation
from domain.kernel import (
    AccountId,
    Aggregate,
    CarrierRef,
    ConversationId,
    ExportId,
    IndexScope,
    LineId,
    MessageId,
    NotFound,
    SessionId,
)
from domain.lines import PhoneLine
from domain.messages import Conversation, Message
from domain.sessions import Session
from domain.values import Peer

A = TypeVar("A", bound=Aggregate)


def _select(of: type[Aggregate], where: str) -> str:
    codec = CODECS[of]
    return f"SELECT {codec.columns()} FROM {codec.table} WHERE {codec.owner} = $1 {where}"  # noqa: S608 - of constants


_LIVE = "AND deleted_at IS NULL"
_OF_LIVE = (  # a text vanishes with its conversation, long before its row is cleared
    "AND EXISTS (SELECT FROM conversations c WHERE c.account_id = $1 AND c.id = {} AND c.deleted_at IS NULL)"
)
_ACCOUNT = _select(Account, "")
_SESSION = _select(Session, "AND id = $2")
_SESSIONS = _select(Session, "AND revoked_at IS NULL ORDER BY id DESC")
_LINE = _select(PhoneLine, "AND id = $2")
_LINES = _select(PhoneLine, "ORDER BY id DESC")
_CONVERSATION = _select(Conversation, f"AND id = $2 {_LIVE}")
_DELETED_CONVERSATION = _select(Conversation, "AND id = $2 AND deleted_at IS NOT NULL")
_CONVERSATIONS = {
    (by_line, further): _select(
        Conversation,
        f"{_LIVE} {'AND line_id = $3' if by_line else ''}"
        f" {f'AND (last_at, id) < (${3 + by_line}, ${4 + by_line})' if further else ''}"
        " ORDER BY last_at DESC, id DESC LIMIT $2",
    )
    for by_line in (False, True)
    for further in (False, True)
}
_MESSAGE = _select(Message, f"AND id = $2 {_LIVE} {_OF_LIVE.format('messages.conversation_id')}")
_ANY_MESSAGE = _select(Message, "AND id = $2")
_MESSAGE_BY_REF = _select(Message, "AND ref = $2")
_MESSAGES = _select(
    Message, f"AND conversation_id = $2 {_LIVE} {_OF_LIVE.format('$2')} ORDER BY id DESC LIMIT $3"
)
_MESSAGES_BEFORE = _MESSAGES.replace("ORDER BY", "AND id < $4 ORDER BY")
_MESSAGES_TO_PURGE = _select(Message, f"AND conversation_id = $2 {_LIVE} ORDER BY id LIMIT $3")
_WITH_CARRIER_COPY = _select(
    Message, "AND id > $2 AND ref IS NOT NULL AND copy_deleted_at IS NULL ORDER BY id LIMIT $3"
)
_EXPORT = _select(Export, "AND id = $2")
_EXPORTS = _select(Export, "ORDER BY id DESC")
_PART = _select(ExportPart, "AND export_id = $2 AND position = $3")
_ROWS = {of: _select(of, "AND id > $2 ORDER BY id LIMIT $3") for of in CODECS}
_PRIOR = "SELECT resource_id, request FROM idempotency_records WHERE account_id = $1 AND key = $2"
_COUNT_RECORDS = " UNION ALL ".join(
    f"SELECT '{stored.name}', count(*) FROM {stored.name} WHERE {stored.owner} = $1"  # noqa: S608 - of constants
    for stored in INVENTORY
)
_LINES_CODEC: Codec[PhoneLine] = CODECS[PhoneLine]
_CONVERSATIONS_CODEC: Codec[Conversation] = CODECS[Conversation]
_LINE_WIDTH = _LINES_CODEC.columns().count(",") + 1
_MESSAGING_CONTEXT = f"""
    SELECT {_LINES_CODEC.columns("l.")}, {_CONVERSATIONS_CODEC.columns("c.")}, o.resource_id, o.request
    FROM phone_lines l
    LEFT JOIN conversations c
        ON c.account_id = $1 AND c.line_id = $2 AND c.peer_index = $3 AND c.deleted_at IS NULL
    LEFT JOIN idempotency_records o ON o.account_id = $1 AND o.key = $4
    WHERE l.account_id = $1 AND l.id = $2
"""  # noqa: S608 - of constants
_FIRST = UUID(int=0)


class PostgresTx(PendingWrites):
    """`Tx`: what it reads is private, what it is told to write is pending until the unit of work ends."""

    __slots__ = ("_account_id", "_database", "_keys")

    def __init__(self, ids: Ids, database: Database, account_id: AccountId, keys: Keys) -> None:
        """Bind every statement to the account."""
        super().__init__(ids)
        self._database = database
        self._account_id = account_id
        self._keys = keys

    async def account(self) -> Account:
        """See `Tx.account`."""
        return await self._one(Account, _ACCOUNT)

    async def session(self, session_id: SessionId) -> Session:
        """See `Tx.session`."""
        return await self._one(Session, _SESSION, session_id)

    async def sessions(self) -> list[Session]:
        """See `Tx.sessions`."""
        return await self._all(Session, _SESSIONS)

    async def line(self, line_id: LineId) -> PhoneLine:
        """See `Tx.line`."""
        return await self._one(PhoneLine, _LINE, line_id)

    async def lines(self) -> list[PhoneLine]:
        """See `Tx.lines`."""
        return await self._all(PhoneLine, _LINES)

    async def messaging_context(self, line_id: LineId, peer: Peer, operation: Operation) -> MessagingContext:
        """See `Tx.messaging_context`."""
        by_peer = self._index("conversations.peer", peer.canonical)
        row = await self._database.first(
            _MESSAGING_CONTEXT,
            self._account_id,
            line_id,
            by_peer,
            self._index("idempotency_records.key", operation.key),
        )
        if row is None:
            raise NotFound
        cipher = self._keys.cipher
        line = _LINES_CODEC.loader(cipher)(row[:_LINE_WIDTH])
        found = row[_LINE_WIDTH:-2]
        conversation = None if found[0] is None else _CONVERSATIONS_CODEC.loader(cipher)(found)
        return MessagingContext(
            line, conversation, None if row[-1] is None else self._prior(operation, *row[-2:])
        )

    async def earlier_result(self, operation: Operation) -> EarlierResult | None:
        """See `Tx.earlier_result`."""
        row = await self._database.first(
            _PRIOR, self._account_id, self._index("idempotency_records.key", operation.key)
        )
        return None if row is None else self._prior(operation, *row)

    async def conversation(self, conversation_id: ConversationId) -> Conversation:
        """See `Tx.conversation`."""
        return await self._one(Conversation, _CONVERSATION, conversation_id)

    async def deleted_conversation(self, conversation_id: ConversationId) -> Conversation:
        """See `Tx.deleted_conversation`."""
        return await self._one(Conversation, _DELETED_CONVERSATION, conversation_id)

    async def conversations(
        self, line_id: LineId | None, before: tuple[datetime, ConversationId] | None, limit: int
    ) -> list[Conversation]:
        """See `Tx.conversations`."""
        statement = _CONVERSATIONS[line_id is not None, before is not None]
        return await self._all(
            Conversation, statement, limit, *([line_id] if line_id else []), *(before or ())
        )

    async def message(self, message_id: MessageId) -> Message:
        """See `Tx.message`."""
        return await self._one(Message, _MESSAGE, message_id)

    async def any_message(self, message_id: MessageId) -> Message:
        """See `Tx.any_message`."""
        return await self._one(Message, _ANY_MESSAGE, message_id)

    async def message_by_ref(self, ref: CarrierRef) -> Message | None:
        """See `Tx.message_by_ref`."""
        return await self._maybe(Message, _MESSAGE_BY_REF, ref)

    async def messages(
        self, conversation_id: ConversationId, before: MessageId | None, limit: int
    ) -> list[Message]:
        """See `Tx.messages`."""
        if before is None:
            found = await self._all(Message, _MESSAGES, conversation_id, limit)
        else:
            found = await self._all(Message, _MESSAGES_BEFORE, conversation_id, limit, before)
        if not found:
            await self.conversation(conversation_id)  # empty, or not there at all?
        return found

    async def messages_to_purge(self, conversation_id: ConversationId, limit: int) -> list[Message]:
        """See `Tx.messages_to_purge`."""
        return await self._all(Message, _MESSAGES_TO_PURGE, conversation_id, limit)

    async def with_carrier_copy(self, after: MessageId | None, limit: int) -> list[Message]:
        """See `Tx.with_carrier_copy`."""
        return await self._all(Message, _WITH_CARRIER_COPY, after or _FIRST, limit)

    async def export(self, export_id: ExportId) -> Export:
        """See `Tx.export`."""
        return await self._one(Export, _EXPORT, export_id)

    async def exports(self) -> list[Export]:
        """See `Tx.exports`."""
        return await self._all(Export, _EXPORTS)

    async def part(self, export_id: ExportId, position: int) -> ExportPart | None:
        """See `Tx.part`."""
        return await self._maybe(ExportPart, _PART, export_id, position)

    async def export_page(self, of: Stored, after: UUID | None, limit: int) -> list[dict[str, Any]]:
        """See `Tx.export_page`. An identity of zeros is nobody's."""
        plain: Callable[[Any], dict[str, Any]] = CODECS[of.of].plain(self._keys.cipher)
        return [
            plain(row)
            for row in await self._database.fetch(_ROWS[of.of], self._account_id, after or _FIRST, limit)
        ]

    async def count_records(self) -> dict[str, int]:
        """See `Tx.count_records`."""
        return dict(await self._database.fetch(_COUNT_RECORDS, self._account_id))

    def _index(self, purpose: str, value: str) -> bytes:
        return self._keys.blind_index(IndexScope.ACCOUNT, purpose, value)

    def _prior(self, operation: Operation, resource_id: UUID, request: bytes) -> EarlierResult:
        return EarlierResult(
            resource_id, self._index("idempotency_records.request", operation.request) == request
        )

    async def _all(self, of: type[A], statement: str, *values: object) -> list[A]:
        load: Callable[[Any], A] = CODECS[of].loader(self._keys.cipher)
        return [load(row) for row in await self._database.fetch(statement, self._account_id, *values)]

    async def _maybe(self, of: type[A], statement: str, *values: object) -> A | None:
        found = await self._all(of, statement, *values)
        return found[0] if found else None

    async def _one(self, of: type[A], statement: str, *values: object) -> A:
        found = await self._all(of, statement, *values)
        if not found:
            raise NotFound
        return found[0]
