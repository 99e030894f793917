"""Use cases of what the carrier tells us: texts that come in, and what became of those that went out."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from application.ports.keyring import KeyGone
from application.ports.store import Directory, Store
from application.ports.system import Clock, Ids
from application.unit_of_work import retry_on_version_conflict
from domain.idempotency import IdempotencyRecord, Operation
from domain.kernel import (
    AccountId,
    CarrierRef,
    ConversationId,
    IdempotencyRecordId,
    LineId,
    MessageId,
    NotFound,
)
from domain.lines import HOLDING, LineState
from domain.messages import Conversation, OptOut, Status, opt_out_of
from domain.retention import Retention
from domain.values import MessageBody, Peer, PhoneNumber


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A text as the carrier hands it over, cut down to what Pico keeps.

    `line_id` is the lease we named when we pointed the number's webhook at us: a text that was meant for the number's
    former owner names another lease than the present one.
    """

    ref: CarrierRef
    to: PhoneNumber
    sender: Peer
    body: MessageBody
    opt_out: OptOut | None = None
    line_id: LineId | None = None


@dataclass(frozen=True, slots=True)
class ReceiveMessage:
    """Take in a text for one of our numbers; whatever is not ours (any more) is dropped without a trace."""

    store: Store
    directory: Directory
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(self, text: InboundMessage) -> None:
        """Do it. Repeating is harmless: the carrier's reference is taken in once."""
        for _ in range(2):
            owner = await self.directory.line(text.to)
            if owner is None:
                return
            try:
                if text.line_id in {None, owner[1]} and await self.accept(*owner, text):
                    return
            except (NotFound, KeyGone):
                pass
            # The directory answered from memory and the number has moved on: ask afresh, once.
            self.directory.forget_line(text.to)

    @retry_on_version_conflict
    async def accept(self, account_id: AccountId, line_id: LineId, text: InboundMessage) -> bool:
        """Commit the text to this line. Tell whether the line still leases the number."""
        now = self.clock.now()
        operation = Operation(f"receive:{text.ref}")
        async with self.store.begin(account_id) as tx:
            context = await tx.messaging_context(line_id, text.sender, operation)
            if context.line.state not in HOLDING:
                return False
            if context.earlier is not None or context.line.state is not LineState.ACTIVE:
                return True
            conversation = context.conversation or Conversation.open(
                account_id, ConversationId(self.ids.new()), line_id, text.sender, now
            )
            message = conversation.receive(
                MessageId(self.ids.new()), text.body, text.ref, text.opt_out or opt_out_of(text.body), now
            )
            tx.require_unchanged(context.line)
            tx.save(conversation)
            tx.save(message)
            tx.save(
                IdempotencyRecord.of(
                    account_id,
                    IdempotencyRecordId(self.ids.new()),
                    operation,
                    message.id,
                    now + self.retention.carrier_event,
                )
            )
        return True


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """What the carrier says of a text we sent from `sender`. `message_id` is our own tag, if it came back."""

    sender: PhoneNumber
    ref: CarrierRef
    message_id: MessageId | None
    status: Status
    error: int | None = None


@dataclass(frozen=True, slots=True)
class ApplyDeliveryReceipt:
    """Apply a status report. The text is sought within the account that holds the number now, and nowhere else."""

    store: Store
    directory: Directory
    clock: Clock

    async def __call__(self, report: DeliveryReceipt) -> None:
        """Do it. Unknown texts are dropped. Any order and any repetition of reports ends the same."""
        for _ in range(2):
            owner = await self.directory.line(report.sender)
            if owner is None:
                return
            with suppress(NotFound, KeyGone):
                if await self.apply(owner[0], report):
                    return
            # As for texts: perhaps the number has moved on.
            self.directory.forget_line(report.sender)

    @retry_on_version_conflict
    async def apply(self, account_id: AccountId, report: DeliveryReceipt) -> bool:
        """Commit the report to a text of this account; tell whether it was found there."""
        async with self.store.begin(account_id) as tx:
            message = await tx.message_by_ref(report.ref)
            if message is None and report.message_id is not None:
                # The report overtook the answer to our own request: adopt the reference it brings.
                message = await tx.any_message(report.message_id)
                if message.ref is not None or message.attempted_at is None:
                    return False
            if message is None:
                return False
            message.accepted(report.ref, report.status, report.error, self.clock.now())
            tx.save(message)
        return True
