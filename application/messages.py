"""Use cases of messaging by the person: send, read, delete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from application.opt_outs import keep_opt_out
from application.paging import Page
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.limits import Charge
from application.ports.message_carrier import MessageCarrier
from application.ports.numbering import NumberingPlan
from application.ports.repositories.conversations import ConversationRow
from application.ports.repositories.messages import MessageRow
from application.ports.store import Store, Tx
from application.spend import Spend
from domain.blocked_numbers import NumberBlocked
from domain.destinations import UnreachableNumber, must_be_reachable
from domain.idempotency import Operation
from domain.kernel import AccountId, ConversationId, LineId, MediaId, MessageId
from domain.lines import PhoneLine
from domain.media import LARGEST, MediaTooLarge, NotForPictures
from domain.messages import Conversation, Receipt
from domain.retention import Retention
from domain.values import ClientReference, MessageBody, Peer, PhoneNumber


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message as it was when it was accepted: the same for every repetition of the request."""

    id: MessageId
    conversation_id: ConversationId
    line_id: LineId
    sender: PhoneNumber
    to: Peer
    body: MessageBody
    created_at: datetime
    attachments: int = 0
    client_reference: ClientReference | None = None
    send_at: datetime | None = None
    repeated: bool = field(default=False, compare=False)
    """Whether an earlier request with the same key had sent it."""


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Queues a message, or keeps it until its time.

    The carrier is asked by a job: an outage there never loses what the person wrote.
    """

    store: Store
    clock: Clock
    ids: Ids
    retention: Retention
    plan: NumberingPlan
    carrier: MessageCarrier
    spend: Spend

    async def __call__(
        self,
        account_id: AccountId,
        line_id: LineId,
        to: Peer,
        body: MessageBody,
        key: str,
        media: Sequence[MediaId] = (),
        client_reference: ClientReference | None = None,
        send_at: datetime | None = None,
    ) -> Accepted:
        """Return the message as accepted.

        Raises NotFound, LineNotActive, NotForMessages, EmergencyNumber, UnreachableNumber, DestinationNotAllowed,
        NumberBlocked, PeerOptedOut, SpendLimited, LimitsUnavailable, IdempotencyMismatch; for pictures NotForPictures,
        MediaNotReady, MediaUsed, MediaTooLarge; for a time NotInTime.

        Repeating with the same key is harmless.
        """
        charge: Charge | None = None
        more = [] if client_reference is None else [f"as {client_reference}"]
        more += [] if send_at is None else [f"at {send_at.isoformat()}"]
        operation = Operation.requested("send", key, line_id, to, body, *media, *more)

        async def change(tx: Tx) -> Accepted:
            nonlocal charge
            context = await tx.conversations.context(line_id, to, operation)
            if context.earlier is not None:
                message = await tx.messages.get(MessageId(context.earlier.must_match()))
            else:
                context.line.must_accept_messages()
                self._must_reach(context.line, to)
                if context.blocked:
                    raise NumberBlocked
                now = self.clock.now()
                conversation = context.conversation or Conversation.open(
                    account_id, ConversationId(self.ids.new()), line_id, to, now
                )
                if context.opt_out is not None:
                    conversation.note_opt_out(context.opt_out.opted_out_at)
                message_id = MessageId(self.ids.new(after=conversation.last_at))
                message = conversation.send(message_id, body, now, len(media), client_reference, send_at)
                await self._attach(tx, context.line, message_id, media)
                if charge is None:  # one, however often a race is lost
                    home = context.line.country
                    if send_at is None:
                        charge = self.spend.of_message(account_id, home, to, body, len(media))
                    else:
                        charge = self.spend.of_scheduled(account_id, home, to)
                tx.take(charge)
                tx.require_unchanged(context.line)
                tx.save(conversation)
                tx.save(message)
                tx.idempotent(operation, message.id, self.retention.idempotency.ends(now))
            return Accepted(
                message.id,
                message.conversation_id,
                line_id,
                context.line.number,
                to,
                body,
                message.created_at,
                len(media),
                client_reference,
                send_at,
                repeated=context.earlier is not None,
            )

        return await self.store.update(account_id, change)

    async def _attach(self, tx: Tx, line: PhoneLine, message_id: MessageId, media: Sequence[MediaId]) -> None:
        """Have these uploads go with a message."""
        if media and not (line.sends_pictures and self.carrier.message_abilities.carries_media):
            raise NotForPictures
        size = 0
        for position, media_id in enumerate(media):
            each = await tx.media.get(media_id)
            each.attach(message_id, position)
            size += each.size
            tx.save(each)
        if size > LARGEST:
            raise MediaTooLarge

    def _must_reach(self, line: PhoneLine, to: Peer) -> None:
        """Raise EmergencyNumber or UnreachableNumber when it is known beforehand that no message can reach `to`."""
        if to == Peer(line.number):
            raise UnreachableNumber
        short_codes = self.carrier.message_abilities.reaches_short_codes
        must_be_reachable(self.plan.destination(to, line.country), short_codes=short_codes)


@dataclass(frozen=True, slots=True)
class ReadMessage:
    """Shows one message."""

    store: Store

    async def __call__(self, account_id: AccountId, message_id: MessageId) -> MessageRow:
        """Return it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.messages.shown(message_id)


@dataclass(frozen=True, slots=True)
class ListReceipts:
    """Shows what was said of one message, and when."""

    store: Store

    async def __call__(self, account_id: AccountId, message_id: MessageId) -> list[Receipt]:
        """Return it in the order in which it was heard. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return (await tx.messages.get_even_broken(message_id)).receipts


@dataclass(frozen=True, slots=True)
class CancelMessage:
    """Takes a scheduled message back. It stays in its conversation, canceled, until it is deleted."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, message_id: MessageId) -> MessageRow:
        """Return it, canceled: no carrier will hear of it. Raises NotFound, NotScheduled. Repeating is harmless."""

        async def change(tx: Tx) -> None:
            message = await tx.messages.get_even_broken(message_id)
            message.cancel(self.clock.now())
            tx.save(message)

        await self.store.update(account_id, change)
        async with self.store.begin(account_id) as tx:
            return await tx.messages.shown(message_id)


@dataclass(frozen=True, slots=True)
class DeleteMessage:
    """Deletes one message: blank at once, and gone when the carrier's copy is."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, message_id: MessageId) -> None:
        """Delete the message. Raises NotFound, also when repeated."""

        async def change(tx: Tx) -> None:
            message = await tx.messages.get_even_broken(message_id)
            conversation = await tx.conversations.get_even_broken(message.conversation_id)
            unread = await tx.messages.is_unread(message)
            conversation.delete_message(message, unread=unread, at=self.clock.now())
            tx.save(conversation)
            tx.save(message)

        await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ListConversations:
    """Pages through conversations, the latest first."""

    store: Store

    async def __call__(
        self,
        account_id: AccountId,
        line_id: LineId | None,
        before: tuple[datetime, ConversationId] | None,
        limit: int,
    ) -> Page[ConversationRow, tuple[datetime, ConversationId]]:
        """Return a page of up to `limit`. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            found = await tx.conversations.page(line_id, before, limit + 1)
            items = await with_names(tx, found[:limit])
        return Page(items, (items[-1].last_at, items[-1].id) if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class ReadConversation:
    """Shows one conversation."""

    store: Store

    async def __call__(self, account_id: AccountId, conversation_id: ConversationId) -> ConversationRow:
        """Return it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            (shown,) = await with_names(tx, [await tx.conversations.shown(conversation_id)])
        return shown


async def with_names(tx: Tx, rows: list[ConversationRow]) -> list[ConversationRow]:
    """Have each conversation show what the person calls its peer."""
    peers = {row.peer for row in rows if row.peer is not None}
    names = await tx.contacts.names(peers) if peers else {}
    return [row._replace(name=names.get(row.peer)) if row.peer in names else row for row in rows]


@dataclass(frozen=True, slots=True)
class ListMessages:
    """Pages through a conversation's messages, newest first."""

    store: Store

    async def __call__(
        self, account_id: AccountId, conversation_id: ConversationId, before: MessageId | None, limit: int
    ) -> Page[MessageRow, MessageId]:
        """Return a page of up to `limit`. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            found = await tx.messages.page(conversation_id, before, limit + 1)
        items = found[:limit]
        return Page(items, items[-1].id if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Notes that the person has seen a conversation."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, conversation_id: ConversationId) -> None:
        """Set the unread count to zero. Raises NotFound. Repeating is harmless."""

        async def change(tx: Tx) -> None:
            conversation = await tx.conversations.get_even_broken(conversation_id)
            conversation.mark_read(self.clock.now())
            tx.save(conversation)

        await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class DeleteConversation:
    """Deletes a conversation: gone from every answer at once; a job purges its messages. The peer's STOP stays."""

    store: Store
    clock: Clock
    ids: Ids

    async def __call__(self, account_id: AccountId, conversation_id: ConversationId) -> None:
        """Delete the conversation. Raises NotFound, also when repeated."""

        async def change(tx: Tx) -> None:
            conversation = await tx.conversations.get_even_broken(conversation_id)
            conversation.delete(self.clock.now())
            tx.save(conversation)
            # Of a broken one whose peer cannot be read, nobody can be known again.
            if conversation.opted_out_at is not None and "peer" not in conversation.unreadable:
                await keep_opt_out(
                    tx, self.ids, conversation.line_id, conversation.peer, conversation.opted_out_at
                )

        await self.store.update(account_id, change)
