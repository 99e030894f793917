"""Use cases of what the carrier tells us: texts that come in, and what became of those that went out."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from application.ports.keyring import KeyGone
from application.ports.store import Directory, Store
from application.ports.system import Clock, Ids
from application.unit_of_work import again_when_stale
from domain.kernel import (
    AccountId,
    CarrierRef,
    ConversationId,
    LineId,
    MessageId,
    NotFound,
    OnceId,
)
from domain.lines import HOLDING, LineState
from domain.messaging import Conversation, OptOut, Status, opt_out_of
from domain.once import Act, Once
from domain.retention import Retention
from domain.values import MessageBody, Peer, PhoneNumber


@dataclass(frozen=True, slots=True)
class InboundText:
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

    async def __call__(self, text: InboundText) -> None:
        """Do it. Repeating is harmless: the carrier's reference is taken in once."""
        for _ in range(2):
            owner = await self.directory.line(text.to)
            if owner is None:
                return
            try:
                if text.line_id in {None, owner[1]} and await self.take_in(*owner, text):
                    return
            except (NotFound, KeyGone):
                pass
            # The directory answered from memory and the number has moved on: ask afresh, once.
            self.directory.forget_line(text.to)

    @again_when_stale
    async def take_in(self, account_id: AccountId, line_id: LineId, text: InboundText) -> bool:
        """Commit the text to this line. Tell whether the line still leases the number."""
        now = self.clock.now()
        act = Act(f"receive:{text.ref}")
        async with self.store.begin(account_id) as tx:
            thread = await tx.thread(line_id, text.sender, act)
            if thread.line.state not in HOLDING:
                return False
            if thread.prior is not None or thread.line.state is not LineState.ACTIVE:
                return True
            conversation = thread.conversation or Conversation.open(
                account_id, ConversationId(self.ids.new()), line_id, text.sender, now
            )
            message = conversation.receive(
                MessageId(self.ids.new()), text.body, text.ref, text.opt_out or opt_out_of(text.body), now
            )
            tx.rely_on(thread.line)
            tx.save(conversation)
            tx.save(message)
            tx.save(
                Once.done(
                    account_id, OnceId(self.ids.new()), act, message.id, now + self.retention.carrier_event
                )
            )
        return True


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What the carrier says of a text we sent from `sender`. `message_id` is our own tag, if it came back."""

    sender: PhoneNumber
    ref: CarrierRef
    message_id: MessageId | None
    status: Status
    error: int | None = None


@dataclass(frozen=True, slots=True)
class NoteStatus:
    """Apply a status report. The text is sought within the account that holds the number now, and nowhere else."""

    store: Store
    directory: Directory
    clock: Clock

    async def __call__(self, report: StatusReport) -> None:
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

    @again_when_stale
    async def apply(self, account_id: AccountId, report: StatusReport) -> bool:
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
