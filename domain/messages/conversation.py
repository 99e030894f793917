"""All messages between one line and one other side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Self

from domain.classification import IndexScope, held
from domain.kernel import (
    AccountId,
    Aggregate,
    CarrierRef,
    ConversationId,
    ErrorKind,
    LineId,
    MessageId,
    PicoError,
)
from domain.keywords import OptOut
from domain.messages.events import (
    ConversationDeleted,
    ConversationRead,
    MessageQueued,
    MessageReceived,
    MessageScheduled,
    MessageTakenOut,
)
from domain.messages.message import Message
from domain.messages.schedule import must_be_in_time
from domain.messages.status import Direction, Status
from domain.values import ClientReference, MessageBody, Peer


class PeerOptedOut(PicoError):
    """The other side asked not to get messages from this line."""

    kind = ErrorKind.CONFLICT
    code = "opted_out"


@dataclass(slots=True, kw_only=True)
class Conversation(Aggregate):
    """All messages between one line and one other side."""

    stored_as: ClassVar[str] = "conversations"
    clause: ClassVar[str] = "C8"

    account_id: AccountId
    id: ConversationId
    line_id: Annotated[LineId, held(bound=True)]
    peer: Annotated[Peer, held(index=IndexScope.ACCOUNT)]
    last_at: Annotated[datetime, held(relative=True)]
    unread: Annotated[int, held(relative=True)] = 0
    total: Annotated[int, held(relative=True)] = 0
    opted_out_at: Annotated[datetime | None, held(bound=True)] = None
    created_at: datetime
    deleted_at: Annotated[datetime | None, held(exported=False, final=True)] = None

    @classmethod
    def open(
        cls, account_id: AccountId, conversation_id: ConversationId, line_id: LineId, peer: Peer, at: datetime
    ) -> Self:
        """Begin a conversation."""
        return cls(
            account_id=account_id, id=conversation_id, line_id=line_id, peer=peer, last_at=at, created_at=at
        )

    def receive(
        self,
        message_id: MessageId,
        body: MessageBody,
        ref: CarrierRef,
        opt_out: OptOut | None,
        at: datetime,
        attachments: int = 0,
    ) -> Message:
        """Return a new message from the other side, with so many pictures or other attachments."""
        self.unread += 1
        self._go_on(at)
        if opt_out is not None:
            self.heed(opt_out, at)
        message = self._message(message_id, Direction.INBOUND, Status.RECEIVED, body, at, ref)
        message.attachments = attachments
        message.record(MessageReceived(account_id=self.account_id, subject=message_id, at=at))
        return message

    def send(
        self,
        message_id: MessageId,
        body: MessageBody,
        at: datetime,
        attachments: int = 0,
        client_reference: ClientReference | None = None,
        send_at: datetime | None = None,
    ) -> Message:
        """Return a new message to the other side, with so many pictures: queued, or scheduled for a time.

        Raises NotInTime, PeerOptedOut, SealBroken.
        """
        if send_at is not None:
            must_be_in_time(send_at, at)
        self.must_be_whole()
        if self.is_opted_out:
            raise PeerOptedOut
        self._go_on(at)
        message = self._message(message_id, Direction.OUTBOUND, Status.QUEUED, body, at)
        message.attachments, message.client_reference = attachments, client_reference
        if send_at is None:
            message.record(MessageQueued(account_id=self.account_id, subject=message_id, at=at))
        else:
            message.send_at, message.status = send_at, Status.SCHEDULED
            message.record(MessageScheduled(account_id=self.account_id, subject=message_id, at=at))
        return message

    def _go_on(self, at: datetime) -> None:
        """Move its time forward, also when the clock was set back: messages stay in the order in which they came."""
        self.last_at = at if at >= self.last_at else self.last_at + timedelta(milliseconds=1)

    @property
    def is_opted_out(self) -> bool:
        """Whether the other side asked not to get messages from this line."""
        return self.opted_out_at is not None

    def note_opt_out(self, at: datetime) -> None:
        """Remember that this peer has opted out, by what the carrier says or by what was said before the conversation.

        Repeating is harmless: the first instant stands.
        """
        self.opted_out_at = self.opted_out_at or at

    def delete_message(self, message: Message, *, unread: bool, at: datetime) -> None:
        """Delete one of its messages; `unread` tells whether it was counted as such. Repeating is harmless."""
        if not message.is_deleted:
            message.delete(at)
            self.total -= 1
            self.unread -= unread
            self.record(MessageTakenOut(account_id=self.account_id, subject=message.id, at=at))

    def heed(self, opt_out: OptOut, at: datetime) -> None:
        """Do as the peer says: send them no more, or again."""
        self.opted_out_at = at if opt_out is OptOut.STOP else None

    def mark_read(self, at: datetime) -> None:
        """Nothing here is unread any more. Repeating is harmless."""
        if self.unread:
            self.unread = 0
            self.record(ConversationRead(account_id=self.account_id, subject=self.id, at=at))

    def delete(self, at: datetime) -> None:
        """Make the conversation vanish from every answer at once. Repeating is harmless."""
        if self.deleted_at is None:
            self.deleted_at = at
            self.record(ConversationDeleted(account_id=self.account_id, subject=self.id, at=at))

    def _message(
        self,
        message_id: MessageId,
        direction: Direction,
        status: Status,
        body: MessageBody,
        at: datetime,
        ref: CarrierRef | None = None,
    ) -> Message:
        self.total += 1
        return Message(
            account_id=self.account_id,
            id=message_id,
            conversation_id=self.id,
            line_id=self.line_id,
            direction=direction,
            status=status,
            body=body,
            created_at=at,
            ref=ref,
        )
