"""Use cases between us and the carrier: texts that come in, go out, report back, and are forgotten over there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from application.ports.carrier import Carrier, CarrierRefused, OptedOut, Sent, TooEarly
from application.ports.keyring import KeyGone
from application.ports.store import Directory, Stale, Store
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
from domain.messaging import Conversation, Message, OptOut, Status, opt_out_of
from domain.once import Act, Once
from domain.retention import Retention
from domain.values import MessageBody, Peer, PhoneNumber

STRAY_AFTER = timedelta(hours=1)
"""By then an answer that has not come will not come."""
BATCH = 200
"""Texts cleared per commit when a conversation is deleted."""


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

    @again_when_stale
    async def __call__(self, report: StatusReport) -> None:
        """Do it. Unknown texts are dropped. Any order and any repetition of reports ends the same."""
        owner = await self.directory.line(report.sender)
        if owner is None:
            return
        try:
            async with self.store.begin(owner[0]) as tx:
                message = await tx.message_by_ref(report.ref)
                if message is None and report.message_id is not None:
                    # The report overtook the answer to our own request: adopt the reference it brings.
                    message = await tx.any_message(report.message_id)
                    if message.ref is not None or message.attempted_at is None:
                        return
                if message is not None:
                    message.accepted(report.ref, report.status, report.error, self.clock.now())
                    tx.save(message)
        except (NotFound, KeyGone):
            self.directory.forget_line(report.sender)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A text about to be handed over. `repeated`: the carrier may have it already. `may_send`: the line is active."""

    message: Message
    sender: PhoneNumber
    to: Peer
    repeated: bool
    may_send: bool


@dataclass(frozen=True, slots=True)
class DeliverMessage:
    """Hand a queued text to the carrier: at most once, whatever breaks in between."""

    store: Store
    carrier: Carrier
    clock: Clock

    async def __call__(self, account_id: AccountId, message_id: MessageId, ticket: int) -> None:
        """Do it. Raises CarrierUnavailable: to be tried again, looking first. Repeating is harmless."""
        attempt = await self.attempt(account_id, message_id)
        if attempt.message.status is not Status.QUEUED or attempt.message.ref is not None:
            return  # sent before
        try:
            sent = await self.find(attempt) if attempt.repeated else None
            if sent is None and attempt.may_send:
                sent = await self.carrier.send(message_id, attempt.sender, attempt.to, attempt.message.body)
        except CarrierRefused as refused:
            await self.refused(account_id, message_id, refused, ticket)
        else:
            await self.answered(account_id, message_id, sent, ticket)

    @again_when_stale
    async def attempt(self, account_id: AccountId, message_id: MessageId) -> Attempt:
        """Put the attempt on record before the carrier hears of it."""
        async with self.store.begin(account_id) as tx:
            message = await tx.message(message_id)
            line, peer = await tx.line(message.line_id), (await tx.conversation(message.conversation_id)).peer
            may_send = line.state is LineState.ACTIVE
            repeated = message.attempted_at is not None
            if may_send:
                message.attempt(self.clock.now())
            tx.rely_on(line)
            tx.save(message)
            return Attempt(message=message, sender=line.number, to=peer, repeated=repeated, may_send=may_send)

    async def find(self, attempt: Attempt) -> Sent | None:
        """Return what an earlier attempt sent, if it did and its answer was lost."""
        message = attempt.message
        if message.attempted_at is None:
            return None
        for sent in await self.carrier.find_sent(
            attempt.sender, attempt.to, message.body, message.attempted_at
        ):
            async with self.store.begin(message.account_id) as tx:
                if await tx.message_by_ref(sent.ref) is None:
                    return sent
        return None

    @again_when_stale
    async def answered(
        self, account_id: AccountId, message_id: MessageId, sent: Sent | None, ticket: int
    ) -> None:
        """Commit the carrier's answer; none was asked for when the line had stopped carrying texts."""
        now = self.clock.now()
        async with self.store.begin(account_id, ending=ticket) as tx:
            message = await tx.any_message(message_id)
            if sent is None:
                message.advance(Status.FAILED, None, now)
            else:
                message.accepted(sent.ref, sent.status, sent.error, now)
            tx.save(message)

    @again_when_stale
    async def refused(
        self, account_id: AccountId, message_id: MessageId, refused: CarrierRefused, ticket: int
    ) -> None:
        """Commit the carrier's refusal."""
        now = self.clock.now()
        async with self.store.begin(account_id, ending=ticket) as tx:
            message = await tx.any_message(message_id)
            message.advance(Status.FAILED, refused.provider_code, now)
            tx.save(message)
            if isinstance(refused, OptedOut):
                conversation = await tx.conversation(message.conversation_id)
                conversation.note_opt_out(now)
                tx.save(conversation)


@dataclass(frozen=True, slots=True)
class PurgeCopy:
    """Delete the carrier's copy of a text; then the row itself, if the person deleted the text."""

    store: Store
    carrier: Carrier
    clock: Clock

    async def __call__(self, account_id: AccountId, message_id: MessageId, ticket: int) -> None:
        """Do it. Raises CarrierUnavailable, TooEarly: to be tried again. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            message = await tx.any_message(message_id)
        if message.held_by_carrier:
            for ref in [message.ref] if message.ref is not None else await self.strays(message):
                if (wait := await self.carrier.purge(ref)) is not None:
                    raise TooEarly(wait)
        await self.commit(account_id, message_id, ticket)

    async def strays(self, message: Message) -> list[CarrierRef]:
        """Find the copy of a text that was deleted before the carrier's answer told us its reference.

        Raises TooEarly while that answer, or a status report, may still come. Other texts to the same peer have their
        references by then.
        """
        since = message.attempted_at
        if since is None or self.clock.now() < since + STRAY_AFTER:
            raise TooEarly(STRAY_AFTER)
        async with self.store.begin(message.account_id) as tx:
            line, conversation = (
                await tx.line(message.line_id),
                await tx.conversation(message.conversation_id),
            )
            found = await self.carrier.find_sent(line.number, conversation.peer, None, since)
            return [sent.ref for sent in found if await tx.message_by_ref(sent.ref) is None]

    @again_when_stale
    async def commit(self, account_id: AccountId, message_id: MessageId, ticket: int) -> None:
        """Commit that the copy is gone."""
        async with self.store.begin(account_id, ending=ticket) as tx:
            message = await tx.any_message(message_id)
            if message.deleted_at is not None:
                tx.remove(message)
            elif message.purged_at is None:
                message.purged_at = self.clock.now()
                tx.save(message)


@dataclass(frozen=True, slots=True)
class ClearConversation:
    """Delete the texts of a deleted conversation batch by batch, then the conversation."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, conversation_id: ConversationId, ticket: int) -> None:
        """Do it. Repeating is harmless."""
        while await self.clear_some(account_id, conversation_id):
            pass
        await self.finish(account_id, conversation_id, ticket)

    async def clear_some(self, account_id: AccountId, conversation_id: ConversationId) -> bool:
        """Clear one batch; tell whether there was one. A text with a carrier copy stays, blank, until its purge."""
        try:
            return await self._clear_some(account_id, conversation_id)
        except Stale:
            return True  # a status report came in between: look again

    async def _clear_some(self, account_id: AccountId, conversation_id: ConversationId) -> bool:
        async with self.store.begin(account_id) as tx:
            await tx.deleted_conversation(conversation_id)
            texts = await tx.texts_to_clear(conversation_id, BATCH)
            for message in texts:
                if message.held_by_carrier:
                    message.delete(self.clock.now())
                    tx.save(message)
                else:
                    tx.remove(message)
        return bool(texts)

    @again_when_stale
    async def finish(self, account_id: AccountId, conversation_id: ConversationId, ticket: int) -> None:
        """Remove the conversation itself."""
        async with self.store.begin(account_id, ending=ticket) as tx:
            tx.remove(await tx.deleted_conversation(conversation_id))
