"""Use cases of texting by the person: send, read, delete."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from application.ports.store import Store
from application.ports.system import Clock, Ids
from application.unit_of_work import retry_on_version_conflict
from domain.idempotency import IdempotencyRecord, Operation
from domain.kernel import AccountId, ConversationId, IdempotencyRecordId, LineId, MessageId
from domain.messages import Conversation, Message
from domain.retention import Retention
from domain.values import MessageBody, Peer

T = TypeVar("T")
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Page(Generic[T, C]):
    """One page, and the place from which the next one starts: None on the last."""

    items: list[T]
    next: C | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A text as it was when it was accepted: the same for every repetition of the request."""

    id: MessageId
    conversation_id: ConversationId
    line_id: LineId
    to: Peer
    body: MessageBody
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Queue a text. The carrier is asked by a job: an outage there never loses what the person wrote."""

    store: Store
    clock: Clock
    ids: Ids
    retention: Retention

    @retry_on_version_conflict
    async def __call__(
        self, account_id: AccountId, line_id: LineId, to: Peer, body: MessageBody, key: str
    ) -> Accepted:
        """Return the text as accepted.

        Raises NotFound, LineNotActive, PeerOptedOut, IdempotencyMismatch. Repeating with the same key is harmless.
        """
        now = self.clock.now()
        operation = Operation.requested("send", key, line_id, to, body)
        async with self.store.begin(account_id) as tx:
            context = await tx.messaging_context(line_id, to, operation)
            if context.earlier is not None:
                message = await tx.message(MessageId(context.earlier.must_match()))
            else:
                context.line.must_be_active()
                conversation = context.conversation or Conversation.open(
                    account_id, ConversationId(self.ids.new()), line_id, to, now
                )
                message = conversation.send(MessageId(self.ids.new()), body, now)
                tx.require_unchanged(context.line)
                tx.save(conversation)
                tx.save(message)
                tx.save(
                    IdempotencyRecord.of(
                        account_id,
                        IdempotencyRecordId(self.ids.new()),
                        operation,
                        message.id,
                        now + self.retention.idempotency,
                    )
                )
        return Accepted(message.id, message.conversation_id, line_id, to, body, message.created_at)


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """Show one text."""

    store: Store

    async def __call__(self, account_id: AccountId, message_id: MessageId) -> Message:
        """Return it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.message(message_id)


@dataclass(frozen=True, slots=True)
class DeleteMessage:
    """Delete one text: blank at once, and gone when the carrier's copy is."""

    store: Store
    clock: Clock

    @retry_on_version_conflict
    async def __call__(self, account_id: AccountId, message_id: MessageId) -> None:
        """Do it. Raises NotFound, also when repeated."""
        async with self.store.begin(account_id) as tx:
            message = await tx.message(message_id)
            message.delete(self.clock.now())
            tx.save(message)


@dataclass(frozen=True, slots=True)
class ListConversations:
    """Page through conversations, the liveliest first."""

    store: Store

    async def __call__(
        self,
        account_id: AccountId,
        line_id: LineId | None,
        before: tuple[datetime, ConversationId] | None,
        limit: int,
    ) -> Page[Conversation, tuple[datetime, ConversationId]]:
        """Return a page of up to `limit`. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            found = await tx.conversations(line_id, before, limit + 1)
        items = found[:limit]
        return Page(items, (items[-1].last_at, items[-1].id) if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class ReadConversation:
    """Show one conversation."""

    store: Store

    async def __call__(self, account_id: AccountId, conversation_id: ConversationId) -> Conversation:
        """Return it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.conversation(conversation_id)


@dataclass(frozen=True, slots=True)
class ListMessages:
    """Page through a conversation's texts, newest first."""

    store: Store

    async def __call__(
        self, account_id: AccountId, conversation_id: ConversationId, before: MessageId | None, limit: int
    ) -> Page[Message, MessageId]:
        """Return a page of up to `limit`. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            found = await tx.messages(conversation_id, before, limit + 1)
        items = found[:limit]
        return Page(items, items[-1].id if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Note that the person has seen a conversation."""

    store: Store

    @retry_on_version_conflict
    async def __call__(self, account_id: AccountId, conversation_id: ConversationId) -> None:
        """Do it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            conversation = await tx.conversation(conversation_id)
            conversation.mark_read()
            tx.save(conversation)


@dataclass(frozen=True, slots=True)
class DeleteConversation:
    """Delete a conversation: gone from every answer at once; a job clears its texts."""

    store: Store
    clock: Clock

    @retry_on_version_conflict
    async def __call__(self, account_id: AccountId, conversation_id: ConversationId) -> None:
        """Do it. Raises NotFound, also when repeated."""
        async with self.store.begin(account_id) as tx:
            conversation = await tx.conversation(conversation_id)
            conversation.delete(self.clock.now())
            tx.save(conversation)
