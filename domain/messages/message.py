"""One message, from its arrival or its acceptance until nothing is left of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Self

from domain.classification import held
from domain.failures import FailureReason
from domain.kernel import AccountId, Aggregate, CarrierRef, ConversationId, LineId, MessageId
from domain.messages.events import (
    MessageAccepted,
    MessageAdvanced,
    MessageDeleted,
    MessageFinal,
    MessageUnconfirmed,
)
from domain.messages.schedule import NotScheduled
from domain.messages.status import OURS, Direction, Receipt, Sent, Status
from domain.values import ClientReference, MessageBody

TOLD = {
    Status.SENDING: "sending_at",
    Status.SENT: "sent_at",
    Status.UNCONFIRMED: "unconfirmed_at",
    Status.DELIVERED: "delivered_at",
    Status.FAILED: "failed_at",
}
"""Where it is kept when each status was first told. There is no more to a receipt: its carrier's words are not kept."""


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
    client_reference: ClientReference | None = None
    send_at: Annotated[datetime | None, held(bound=True)] = None
    """When it goes out, if somebody said so."""
    sending_at: datetime | None = None
    sent_at: datetime | None = None
    unconfirmed_at: datetime | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None

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
        return self.status in {Status.SCHEDULED, Status.QUEUED} and self.ref is None

    @property
    def is_scheduled(self) -> bool:
        """Whether it waits for its time, or for being looked at when that has come."""
        return self.status is Status.SCHEDULED

    @property
    def begins_at(self) -> datetime:
        """From when on carriers may have it."""
        return self.send_at or self.created_at

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
        return self.direction is Direction.OUTBOUND and status is not Status.RECEIVED and status not in OURS

    def attempt(self, at: datetime) -> None:
        """Put on record that the carrier is about to be asked. Repeating is harmless: the first moment stands."""
        self.attempted_at = self.attempted_at or at
        if self.is_scheduled:
            self._become(Status.QUEUED, at)

    def cancel(self, at: datetime) -> None:
        """Take it back before its time: no carrier will hear of it. Raises NotScheduled. Repeating is harmless."""
        if self.status is not Status.CANCELED:
            if not self.is_scheduled:
                raise NotScheduled
            self._become(Status.CANCELED, at)

    def _become(self, status: Status, at: datetime) -> None:
        self.status = status
        self.record(MessageAdvanced(account_id=self.account_id, subject=self.id, at=at))

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
        if not self.may_become(status):
            return
        self._remember(status, at)
        if status.rank > self.status.rank:
            self.status, self.failure = status, _failure_of(status, failure)
            self.record(MessageAdvanced(account_id=self.account_id, subject=self.id, at=at))
            if status.terminal and self.ref is not None:
                self.record(MessageFinal(account_id=self.account_id, subject=self.id, at=at))
            elif status is Status.UNCONFIRMED:
                self.record(MessageUnconfirmed(account_id=self.account_id, subject=self.id, at=at))

    def _remember(self, status: Status, at: datetime) -> None:
        """Note when this was first said of it. It stays, whatever is said later, or was said before."""
        name = TOLD.get(status)
        if name is not None and getattr(self, name) is None:
            setattr(self, name, at)

    @property
    def receipts(self) -> list[Receipt]:
        """What was said of it, each status once, in the order in which that was heard."""
        told = ((status, getattr(self, name)) for status, name in TOLD.items())
        return sorted((Receipt(status, at) for status, at in told if at is not None), key=lambda one: one.at)

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
        """Blank what is personal at once; the row stays, unseen, until the carrier's copy is gone. Repeatable."""
        if self.deleted_at is None:
            self.body, self.client_reference, self.deleted_at = MessageBody(""), None, at
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
