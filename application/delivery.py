"""Use cases between us and the carrier: texts that come in, go out, report back, and are forgotten over there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from application.ports.carrier import Carrier, CarrierRefused, OptedOut, Sent
from application.ports.keyring import KeyGone
from application.ports.store import Directory, Stale, Store
from application.ports.system import Clock, Ids
from application.unit_of_work import again_when_stale
from domain.kernel import (
    AccountId,
    CarrierRef,
    ConversationId,
    DomainError,
    Fault,
    LineId,
    MessageId,
    NotFound,
    OnceId,
)
from domain.lines import LineState
from domain.messaging import Conversation, Message, OptOut, Status, opt_out_of
from domain.once import Act, Once
from domain.retention import Retention
from domain.values import MessageBody, Peer, PhoneNumber

BATCH = 200
"""Texts cleared per commit when a conversation is deleted."""


class TooEarly(DomainError):
    """The carrier will delete its copy later; ask again then."""

    fault = Fault.UNAVAILABLE
    code = "too_early"

    def __init__(self, after: timedelta) -> None:
        """Ask again `after`."""
        self.after = after
        super().__init__()


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text as the carrier hands it over, cut down to what Pico keeps."""

    ref: CarrierRef
    to: PhoneNumber
    sender: Peer
    body: MessageBody
    opt_out: OptOut | None = None


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
                if await self.take_in(*owner, text):
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
            if thread.line.state is LineState.RELEASED:
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


@dataclass(frozen=True, slots=True)
class DeliverMessage:
    """Hand a queued text to the carrier: at most once, whatever breaks in between."""

    store: Store
    carrier: Carrier
    clock: Clock

    async def __call__(self, account_id: AccountId, message_id: MessageId, ticket: int) -> None:
        """Do it. Raises CarrierUnavailable: to be tried again, looking first. Repeating is harmless."""
        message, sender, to, repeated = await self.attempt(account_id, message_id)
        if message.status is not Status.QUEUED or message.ref is not None:
            return  # sent before, or the line stopped carrying texts
        try:
            sent = await self.ask(message, sender, to, look=repeated)
        except CarrierRefused as refused:
            await self.refused(account_id, message_id, refused, ticket)
        else:
            await self.accepted(account_id, message_id, sent, ticket)

    @again_when_stale
    async def attempt(
        self, account_id: AccountId, message_id: MessageId
    ) -> tuple[Message, PhoneNumber, Peer, bool]:
        """Put the attempt on record before the carrier hears of it."""
        async with self.store.begin(account_id) as tx:
            message = await tx.message(message_id)
            line, conversation = (
                await tx.line(message.line_id),
                await tx.conversation(message.conversation_id),
            )
            now = self.clock.now()
            repeated = message.attempt(now)
            if line.state is not LineState.ACTIVE and not repeated:
                message.advance(Status.FAILED, None, now)
            tx.rely_on(line)
            tx.save(message)
            return message, line.number, conversation.peer, repeated

    async def ask(self, message: Message, sender: PhoneNumber, to: Peer, *, look: bool) -> Sent:
        """Send, or adopt what an earlier attempt sent."""
        since = message.attempted_at
        if look and since is not None:
            for sent in await self.carrier.find_sent(sender, to, message.body, since):
                async with self.store.begin(message.account_id) as tx:
                    if await tx.message_by_ref(sent.ref) is None:
                        return sent
        return await self.carrier.send(message.id, sender, to, message.body)

    @again_when_stale
    async def accepted(self, account_id: AccountId, message_id: MessageId, sent: Sent, ticket: int) -> None:
        """Commit the carrier's answer."""
        async with self.store.begin(account_id, ending=ticket) as tx:
            message = await tx.any_message(message_id)
            message.accepted(sent.ref, sent.status, sent.error, self.clock.now())
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
        if message.ref is not None and message.purged_at is None:
            wait = await self.carrier.purge(message.ref)
            if wait is not None:
                raise TooEarly(wait)
        await self.commit(account_id, message_id, ticket)

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
