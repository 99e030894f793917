"""One account's unit of work in memory: reading."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from application.inventory import INVENTORY, Stored
from application.ports.store import MessagingContext
from application.unit_of_work import PendingWrites
from domain.accounts import Account
from domain.exports import Export, ExportPart
from domain.idempotency import EarlierResult, IdempotencyRecord, Operation
from domain.kernel import (
    AccountId,
    Aggregate,
    CarrierRef,
    ConversationId,
    ExportId,
    LineId,
    MessageId,
    NotFound,
    SessionId,
    StorageKind,
)
from domain.lines import PhoneLine
from domain.messages import Conversation, Message
from domain.sessions import Session
from domain.values import Peer

A = TypeVar("A", bound=Aggregate)
Rows = dict[type[Aggregate], dict[UUID, Aggregate]]
"""What one account has: every kind of record, by id."""

INDEXED = {stored.of: [c.name for c in stored.columns if c.kind is StorageKind.INDEX] for stored in INVENTORY}
"""Fields that can be matched and never read back."""


def copied(aggregate: A, **changed: object) -> A:
    """Return a copy that shares nothing: every field of an aggregate is itself immutable."""
    return replace(aggregate, events=[], origin=None, **cast("dict[str, Any]", changed))


def identity(aggregate: Aggregate) -> UUID:
    """Return the id, under whichever type."""
    return cast("UUID", cast("Any", aggregate).id)


@dataclass(slots=True, kw_only=True)
class MemoryTx(PendingWrites):
    """`Tx` over one account's rows. Nobody else's are within reach."""

    account_id: AccountId
    rows_by_type: Rows
    answer: Callable[[], Awaitable[None]]
    """Awaited by every read, so that others get their turn as they would with a real store."""

    async def account(self) -> Account:
        """See `Tx.account`."""
        return await self._one(Account, self.account_id)

    async def session(self, session_id: SessionId) -> Session:
        """See `Tx.session`."""
        return await self._one(Session, session_id)

    async def sessions(self) -> list[Session]:
        """See `Tx.sessions`."""
        return newest_first(await self._all(Session, lambda session: session.revoked_at is None))

    async def line(self, line_id: LineId) -> PhoneLine:
        """See `Tx.line`."""
        return await self._one(PhoneLine, line_id)

    async def lines(self) -> list[PhoneLine]:
        """See `Tx.lines`."""
        return newest_first(await self._all(PhoneLine))

    async def messaging_context(self, line_id: LineId, peer: Peer, operation: Operation) -> MessagingContext:
        """See `Tx.messaging_context`."""
        line, earlier = await self._one(PhoneLine, line_id), await self.earlier_result(operation)
        found = await self._all(
            Conversation, lambda c: (c.line_id, c.peer, c.deleted_at) == (line_id, peer, None)
        )
        return MessagingContext(line, found[0] if found else None, earlier)

    async def earlier_result(self, operation: Operation) -> EarlierResult | None:
        """See `Tx.earlier_result`."""
        await self.answer()
        done = (once for once in self._of(IdempotencyRecord) if once.key == operation.key)
        return next(
            (EarlierResult(once.resource_id, once.request == operation.request) for once in done), None
        )

    async def conversation(self, conversation_id: ConversationId) -> Conversation:
        """See `Tx.conversation`."""
        return await self._one(
            Conversation, conversation_id, lambda conversation: conversation.deleted_at is None
        )

    async def deleted_conversation(self, conversation_id: ConversationId) -> Conversation:
        """See `Tx.deleted_conversation`."""
        return await self._one(
            Conversation, conversation_id, lambda conversation: conversation.deleted_at is not None
        )

    async def conversations(
        self, line_id: LineId | None, before: tuple[datetime, ConversationId] | None, limit: int
    ) -> list[Conversation]:
        """See `Tx.conversations`."""
        living = await self._all(
            Conversation, lambda c: c.deleted_at is None and line_id in {None, c.line_id}
        )
        rest = [c for c in living if before is None or (c.last_at, c.id) < before]
        return sorted(rest, key=lambda c: (c.last_at, c.id), reverse=True)[:limit]

    async def message(self, message_id: MessageId) -> Message:
        """See `Tx.message`."""
        return await self._one(Message, message_id, self._shown)

    async def any_message(self, message_id: MessageId) -> Message:
        """See `Tx.any_message`."""
        return await self._one(Message, message_id)

    async def message_by_ref(self, ref: CarrierRef) -> Message | None:
        """See `Tx.message_by_ref`."""
        found = await self._all(Message, lambda message: message.ref == ref)
        return found[0] if found else None

    async def messages(
        self, conversation_id: ConversationId, before: MessageId | None, limit: int
    ) -> list[Message]:
        """See `Tx.messages`."""
        await self.conversation(conversation_id)
        shown = await self._all(Message, lambda m: m.conversation_id == conversation_id and self._shown(m))
        return newest_first(m for m in shown if before is None or m.id < before)[:limit]

    async def messages_to_purge(self, conversation_id: ConversationId, limit: int) -> list[Message]:
        """See `Tx.messages_to_purge`."""
        left = await self._all(
            Message, lambda m: m.conversation_id == conversation_id and m.deleted_at is None
        )
        return sorted(left, key=identity)[:limit]

    async def with_carrier_copy(self, after: MessageId | None, limit: int) -> list[Message]:
        """See `Tx.with_carrier_copy`."""
        left = await self._all(Message, lambda m: m.ref is not None and m.copy_deleted_at is None)
        return sorted((m for m in left if after is None or m.id > after), key=identity)[:limit]

    async def export(self, export_id: ExportId) -> Export:
        """See `Tx.export`."""
        return await self._one(Export, export_id)

    async def exports(self) -> list[Export]:
        """See `Tx.exports`."""
        return newest_first(await self._all(Export))

    async def part(self, export_id: ExportId, position: int) -> ExportPart | None:
        """See `Tx.part`."""
        found = await self._all(
            ExportPart, lambda part: (part.export_id, part.position) == (export_id, position)
        )
        return found[0] if found else None

    async def export_page(self, of: Stored, after: UUID | None, limit: int) -> list[dict[str, Any]]:
        """See `Tx.export_page`."""
        await self.answer()
        ordered = sorted(self.rows_by_type[of.of].items())
        page = [row for row_id, row in ordered if after is None or row_id > after][:limit]
        readable = [column.name for column in of.columns if column.kind is not StorageKind.INDEX]
        return [{name: plain(getattr(row, name)) for name in readable} for row in page]

    async def count_records(self) -> dict[str, int]:
        """See `Tx.count_records`."""
        await self.answer()
        return {stored.name: len(self.rows_by_type[stored.of]) for stored in INVENTORY}

    def parts_to_remove(self) -> list[ExportPart]:
        """Return what `remove_parts` was asked for."""
        return [part for part in self._of(ExportPart) if part.export_id in self.exports_emptied]

    def _shown(self, message: Message) -> bool:
        """Tell whether neither the text nor its conversation was deleted."""
        conversation = cast(
            "Conversation | None", self.rows_by_type[Conversation].get(message.conversation_id)
        )
        return message.deleted_at is None and conversation is not None and conversation.deleted_at is None

    def _of(self, of: type[A]) -> Iterable[A]:
        return cast("Iterable[A]", self.rows_by_type[of].values())

    async def _all(self, of: type[A], wanted: Callable[[A], bool] = lambda _: True) -> list[A]:
        await self.answer()
        return [opened(row) for row in self._of(of) if wanted(row)]

    async def _one(self, of: type[A], row_id: UUID, wanted: Callable[[A], bool] = lambda _: True) -> A:
        await self.answer()
        row = cast("A | None", self.rows_by_type[of].get(row_id))
        if row is None or not wanted(row):
            raise NotFound
        return opened(row)


def opened(row: A) -> A:
    """Return a private copy, without what is only ever held as a fingerprint."""
    return copied(row, **dict.fromkeys(INDEXED[type(row)]))


def newest_first(rows: Iterable[A]) -> list[A]:
    """Order by falling id: ids rise with time."""
    return sorted(rows, key=identity, reverse=True)


def plain(value: object) -> object:
    """Return what a database would: a set comes back as a list."""
    return sorted(value) if isinstance(value, frozenset) else value
