"""Conversations and the messages in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from domain.classification import IndexScope, held
from domain.failures import FailureReason
from domain.kernel import (
    AccountId,
    Aggregate,
    CarrierRef,
    ConversationId,
    ErrorKind,
    Event,
    LineId,
    MessageId,
    PicoError,
)
from domain.keywords import OptOut
from domain.values import MessageBody, Peer


class Direction(StrEnum):
    """Which way a message went."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Status(StrEnum):
    """Where a message stands. Rank never falls; among equals the first terminal one wins (Twilio: message statuses)."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNCONFIRMED = "unconfirmed"
    """The carrier tries no longer, and has not said what became of it. A late word from it still counts."""
    DELIVERED = "delivered"
    FAILED = "failed"
    RECEIVED = "received"

    @property
    def rank(self) -> int:
        """Order of life: a status only ever gives way to one of higher rank."""
        return RANK[self]

    @property
    def terminal(self) -> bool:
        """Nothing follows."""
        return self.rank == RANK[Status.DELIVERED]


RANK = {
    Status.QUEUED: 1,
    Status.SENDING: 2,
    Status.SENT: 3,
    Status.UNCONFIRMED: 4,
    Status.DELIVERED: 5,
    Status.FAILED: 5,
    Status.RECEIVED: 5,
}


class PeerOptedOut(PicoError):
    """The other side asked not to get messages from this line."""

    kind = ErrorKind.CONFLICT
    code = "opted_out"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as the carrier knows it: its reference, where it stands, and why if it failed."""

    ref: CarrierRef
    status: Status
    failure: FailureReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived(Event):
    """A message came in and is safe with us: the carrier's copy may go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageQueued(Event):
    """A message waits to be handed to the carrier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAccepted(Event):
    """The carrier took a message: from now on it holds a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFinal(Event):
    """A sent message reached its last status: the carrier's copy may go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUnconfirmed(Event):
    """Nobody says any more what became of a sent message: the carrier's copy may go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted(Event):
    """The person deleted a message whose carrier copy may still exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationDeleted(Event):
    """The person deleted a whole conversation; its messages are purged batch by batch."""


@dataclass(slots=True, kw_only=True)
class Message(Aggregate):
    """One message."""

    stored_as: ClassVar[str] = "messages"
    clause: ClassVar[str] = "C8"

    account_id: AccountId
    id: MessageId
    conversation_id: Annotated[ConversationId, held(bound=True)]
    line_id: Annotated[LineId, held(bound=True)]
    direction: Annotated[Direction, held(bound=True)]
    status: Annotated[Status, held(bound=True)]
    body: MessageBody
    created_at: datetime
    attachments: Annotated[int, held(bound=True)] = 0
    ref: Annotated[CarrierRef | None, held(exported=False, bound=True)] = None
    failure: FailureReason | None = None
    attempted_at: Annotated[datetime | None, held(exported=False, bound=True)] = None
    copy_deleted_at: Annotated[datetime | None, held(exported=False, bound=True)] = None
    deleted_at: Annotated[datetime | None, held(exported=False, final=True)] = None

    @classmethod
    def deleted_on_arrival(
        cls, account_id: AccountId, message_id: MessageId, line_id: LineId, ref: CarrierRef, at: datetime
    ) -> Self:
        """Return what a message of which nothing is to be kept leaves until the carrier's copy is gone.

        It is in no conversation.
        """
        message = cls(
            account_id=account_id, id=message_id, conversation_id=ConversationId(message_id), line_id=line_id,
            direction=Direction.INBOUND, status=Status.RECEIVED, body=MessageBody(""), created_at=at, ref=ref,
        )  # fmt: skip
        message.delete(at)
        return message

    @property
    def is_waiting(self) -> bool:
        """Whether it still waits to be handed to the carrier."""
        return self.status is Status.QUEUED and self.ref is None

    @property
    def was_attempted(self) -> bool:
        """Whether the carrier may have been asked already."""
        return self.attempted_at is not None

    @property
    def is_deleted(self) -> bool:
        """Whether the person deleted it; the row waits for the carrier's copy to go."""
        return self.deleted_at is not None

    def copy_may_go(self, kept: int) -> bool:
        """Tell whether the carrier's copy is not needed: so many of its pictures are safe with us."""
        return self.is_deleted or kept >= self.attachments

    @property
    def may_adopt(self) -> bool:
        """Whether a receipt that names this message by our own id may give it its reference."""
        return self.ref is None and self.was_attempted

    def may_become(self, status: Status) -> bool:
        """Whether a message in this direction can be so: only what came in was received, and it stays so."""
        return self.direction is Direction.OUTBOUND and status is not Status.RECEIVED

    def attempt(self, at: datetime) -> None:
        """Put on record that the carrier is about to be asked. Repeating is harmless: the first moment stands."""
        self.attempted_at = self.attempted_at or at

    def was_attempted_within(self, period: timedelta, now: datetime) -> bool:
        """Tell whether the carrier was first asked less than `period` ago."""
        return self.attempted_at is not None and now < self.attempted_at + period

    def adopt(self, sent: Sent, at: datetime) -> None:
        """Note what the carrier says of it, and its reference if that is news. Repeating is harmless.

        What no message in this direction can be says nothing of this one: it changes nothing.
        """
        if not self.may_become(sent.status):
            return
        if self.ref is None:
            self.ref = sent.ref
            self.record(MessageAccepted(account_id=self.account_id, subject=self.id, at=at))
        self.advance(sent.status, sent.failure, at)

    def advance(self, status: Status, failure: FailureReason | None, at: datetime) -> None:
        """Move to `status` if it ranks higher. Any order and any repetition of the same reports ends the same."""
        if self.may_become(status) and status.rank > self.status.rank:
            self.status, self.failure = status, _failure_of(status, failure)
            if status.terminal and self.ref is not None:
                self.record(MessageFinal(account_id=self.account_id, subject=self.id, at=at))
            elif status is Status.UNCONFIRMED:
                self.record(MessageUnconfirmed(account_id=self.account_id, subject=self.id, at=at))

    def fail(self, failure: FailureReason, at: datetime) -> None:
        """Note that it will not be sent, and why. Repeating is harmless."""
        self.advance(Status.FAILED, failure, at)

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is asked about it."""
        return self.status.rank >= Status.UNCONFIRMED.rank

    def give_up(self, at: datetime) -> None:
        """Note that nothing more will be known of it: unconfirmed if the carrier may have it, else failed."""
        may_be_there = self.ref is not None or self.was_attempted
        self.advance(Status.UNCONFIRMED if may_be_there else Status.FAILED, FailureReason.CARRIER_OUTAGE, at)

    def carrier_copy_deleted(self, at: datetime) -> None:
        """Note that the carrier's copy is gone. Repeating is harmless: the first instant stands."""
        self.copy_deleted_at = self.copy_deleted_at or at

    def delete(self, at: datetime) -> None:
        """Blank the body at once; the row stays, unseen, until the carrier's copy is gone. Repeating is harmless."""
        if self.deleted_at is None:
            self.body, self.deleted_at = MessageBody(""), at
            self.record(MessageDeleted(account_id=self.account_id, subject=self.id, at=at))

    @property
    def has_carrier_copy(self) -> bool:
        """Whether a copy may still lie with the carrier."""
        return self.copy_deleted_at is None and (self.ref is not None or self.attempted_at is not None)


def _failure_of(status: Status, failure: FailureReason | None) -> FailureReason | None:
    """Return the reason that goes with a status: there is always one where there may be one."""
    if status is Status.FAILED:
        return failure or FailureReason.UNKNOWN
    return FailureReason.UNCONFIRMED if status is Status.UNCONFIRMED else None


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

    def send(self, message_id: MessageId, body: MessageBody, at: datetime, attachments: int = 0) -> Message:
        """Return a new message to the other side, queued, with so many pictures. Raises PeerOptedOut, SealBroken."""
        self.must_be_whole()
        if self.is_opted_out:
            raise PeerOptedOut
        self._go_on(at)
        message = self._message(message_id, Direction.OUTBOUND, Status.QUEUED, body, at)
        message.attachments = attachments
        message.record(MessageQueued(account_id=self.account_id, subject=message_id, at=at))
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

    def heed(self, opt_out: OptOut, at: datetime) -> None:
        """Do as the peer says: send them no more, or again."""
        self.opted_out_at = at if opt_out is OptOut.STOP else None

    def mark_read(self) -> None:
        """Nothing here is unread any more. Repeating is harmless."""
        self.unread = 0

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
