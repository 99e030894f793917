"""The use case that hands a message to the carrier."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from application.hold import HoldOfJob
from application.inbound_messages import is_active
from application.job_type import NOW, JobType, Provider
from application.line_check import CHECK_LINE
from application.media_upload import OfferMedia
from application.opt_outs import keep_opt_out
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.jobs import Job, JobLease, Queue
from application.ports.message_carrier import MessageCarrier, OptedOut, SenderRefused
from application.ports.store import Store, Tx
from application.spend import Spend
from domain.failures import FailureReason
from domain.kernel import AccountId, MessageId
from domain.lines import PhoneLine
from domain.messages import Conversation, Message, MessageQueued, MessageScheduled, Sent
from domain.spend import SpendLimited
from domain.values import Peer, PhoneNumber

SEND = "send_message"
LONGEST_WAIT = timedelta(days=7)
"""Jobs that are put off for longer count as put off by a wrong clock, and are called back."""


class NotYetTime(Exception):
    """A scheduled message's time has not come."""

    def __init__(self, missing: timedelta) -> None:
        """Say how long it is until then."""
        self.missing = missing
        super().__init__()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A message about to be handed over.

    `asked_at`: when the carrier was first asked, and so may have it already. `must_not`: why it may not be sent, if
    the line stopped accepting messages, the other side has opted out or is blocked or it is too old.
    """

    message: Message
    sender: PhoneNumber
    to: Peer
    asked_at: datetime | None
    must_not: FailureReason | None


@dataclass(frozen=True, slots=True)
class SendQueuedMessage:
    """Hands a queued message to the carrier: at most once, whatever breaks in between."""

    store: Store
    queue: Queue
    carrier: MessageCarrier
    offer_media: OfferMedia
    clock: Clock
    ids: Ids
    spend: Spend

    async def __call__(self, account_id: AccountId, message_id: MessageId, lease: JobLease) -> None:
        """Send the message. Repeating is harmless.

        Raises JobGone; CarrierUnavailable: to be tried again, looking first; SendingPaused and LimitsUnavailable: to be
        tried again, the carrier has not heard of it. Before the time of a scheduled message it only has itself called
        again; it raises ClocksDisagree where nobody can tell whether that time has come.
        """
        try:
            attempt = await self._attempt(account_id, message_id, lease)
        except NotYetTime as early:
            await self._put_off(account_id, message_id, lease, early.missing)
            return
        if not attempt.message.is_waiting:
            return  # sent before
        try:
            sent = await self._find(attempt)
            if sent is None and self._may_ask(attempt):
                media = await self.offer_media(attempt.message)
                if attempt.asked_at is not None or media:  # else the attempt's own commit has just renewed it
                    await HoldOfJob(self.queue, account_id, lease)()
                body = attempt.message.body
                sent = await self.carrier.send(message_id, attempt.sender, attempt.to, body, media)
        except CarrierUnavailable:
            if not self._is_too_late(attempt.message):
                raise
            await self._commit_answer(attempt, None, lease, certain=False)
        except CarrierRefused as refused:
            await self._commit_refusal(attempt, refused, lease)
        else:
            certain = attempt.asked_at is None or self.carrier.message_abilities.can_find_by_pair
            await self._commit_answer(attempt, sent, lease, certain=certain)

    async def _put_off(
        self, account_id: AccountId, message_id: MessageId, lease: JobLease, missing: timedelta
    ) -> None:
        """Have this done again when a message's time has come."""

        async def change(tx: Tx) -> None:
            tx.queue(Job(SEND, account_id, message_id, min(missing, LONGEST_WAIT)))

        await self.store.update(account_id, change, completing=lease)

    async def _attempt(self, account_id: AccountId, message_id: MessageId, lease: JobLease) -> Attempt:
        """Put the attempt on record before the carrier hears of it. Raises JobGone."""
        passed = False

        async def change(tx: Tx) -> Attempt:
            nonlocal passed
            message, line, conversation, blocked = await tx.messages.sending(message_id)
            asked_at = message.attempted_at
            must_not = self._must_not(message, line, conversation, blocked=blocked)
            if message.is_scheduled:
                await self._must_be_time(message)
            if message.is_scheduled and not await is_active(tx):
                must_not = FailureReason.LINE_NOT_ACTIVE
            if must_not is None and message.is_waiting and not passed:  # once, however often a race is lost
                await self.spend.pass_on(conversation.peer)
                if message.is_scheduled:
                    must_not = await self._spend(message, line, conversation.peer)
                passed = must_not is None
            if must_not is None:
                message.attempt(self.clock.now())
                tx.hold(lease)
            tx.require_unchanged(line)
            tx.require_unchanged(conversation)
            tx.save(message)
            return Attempt(
                message=message,
                sender=line.number,
                to=conversation.peer,
                asked_at=asked_at,
                must_not=must_not,
            )

        return await self.store.update(account_id, change)

    async def _must_be_time(self, message: Message) -> None:
        """Raise NotYetTime before a scheduled message's time; ClocksDisagree when nobody can tell."""
        missing = message.begins_at - await self.clock.agreed()
        if missing > timedelta():
            raise NotYetTime(missing)

    async def _spend(self, message: Message, line: PhoneLine, to: Peer) -> FailureReason | None:
        """Pay for a scheduled message now that its time has come. Tell why it may not be sent, if it may not."""
        try:
            await self.spend.take(message.account_id, line.country, to, message.body, message.attachments)
        except SpendLimited:
            return FailureReason.LIMITED
        return None

    def _may_ask(self, attempt: Attempt) -> bool:
        """Tell whether asking the carrier cannot send the message twice."""
        abilities = self.carrier.message_abilities
        looked = attempt.asked_at is None or abilities.can_find_by_pair
        key_holds = attempt.message.was_attempted_within(abilities.sends_idempotent_for, self.clock.now())
        return attempt.must_not is None and (looked or key_holds)

    def _must_not(
        self, message: Message, line: PhoneLine, conversation: Conversation, *, blocked: bool
    ) -> FailureReason | None:
        """Tell why the message may not be handed over, if it may not."""
        if not line.accepts_messages:
            return FailureReason.LINE_NOT_ACTIVE
        if conversation.is_opted_out:
            return FailureReason.OPTED_OUT
        if blocked or not self.spend.allows(line.country, conversation.peer):
            return FailureReason.NOT_ALLOWED
        return FailureReason.CARRIER_OUTAGE if self._is_too_late(message) else None

    def _is_too_late(self, message: Message) -> bool:
        """Tell whether the message is older than any that a carrier would still try to deliver."""
        return self.clock.now() >= message.begins_at + self.carrier.message_abilities.messages_live_for

    async def _find(self, attempt: Attempt) -> Sent | None:
        """Return what an earlier attempt sent, if it did, its answer was lost and the carrier can find it."""
        message = attempt.message
        if attempt.asked_at is None or not self.carrier.message_abilities.can_find_by_pair:
            return None
        for sent in await self.carrier.find_by_pair(
            attempt.sender, attempt.to, message.body, attempt.asked_at
        ):
            async with self.store.begin(message.account_id) as tx:
                if await tx.messages.by_ref(sent.ref) is None:
                    return sent
        return None

    async def _commit_answer(
        self, attempt: Attempt, sent: Sent | None, lease: JobLease, *, certain: bool
    ) -> None:
        """Commit the carrier's answer.

        There is none when the message must not be sent; nor, and then it is not `certain` that it was not sent, when
        only asking again, perhaps sending twice, could have told.
        """
        known: Message | None = (
            attempt.message
        )  # as its own commit left it; whoever changed it since has us look again

        async def change(tx: Tx) -> None:
            nonlocal known
            now = self.clock.now()
            message, known = known or await tx.messages.get_even_deleted(attempt.message.id), None
            if sent is not None:
                message.adopt(sent, now)
            elif certain:
                message.fail(attempt.must_not or FailureReason.UNKNOWN, now)
            else:
                message.give_up(now)
            tx.save(message)

        await self.store.update(attempt.message.account_id, change, completing=lease)

    async def _commit_refusal(self, attempt: Attempt, refused: CarrierRefused, lease: JobLease) -> None:
        """Commit the carrier's refusal."""

        async def change(tx: Tx) -> None:
            now = self.clock.now()
            message = await tx.messages.get_even_deleted(attempt.message.id)
            message.fail(refused.failure, now)
            tx.save(message)
            if isinstance(refused, SenderRefused):
                tx.queue(Job(CHECK_LINE, message.account_id, message.line_id))
            if isinstance(refused, OptedOut):
                conversation = await tx.conversations.with_peer(message.line_id, attempt.to)
                if conversation is None:  # deleted meanwhile
                    await keep_opt_out(tx, self.ids, message.line_id, attempt.to, now)
                else:
                    conversation.note_opt_out(now)
                    tx.save(conversation)

        await self.store.update(attempt.message.account_id, change, completing=lease)


JOBS = (
    JobType(
        SEND, SendQueuedMessage, after={MessageQueued: NOW, MessageScheduled: NOW}, asks=Provider.CARRIER
    ),
)
