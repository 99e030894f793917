"""The use case that hands a text to the carrier."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from application.ports.carrier import Carrier, CarrierRefused, OptedOut, Sent
from application.ports.store import Store
from application.ports.system import Clock
from application.unit_of_work import retry_on_version_conflict
from domain.kernel import AccountId, MessageId, NotFound
from domain.lines import LineState
from domain.messages import Message, Status
from domain.values import Peer, PhoneNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A text about to be handed over. `repeated`: the carrier may have it already. `may_send`: the line is active."""

    message: Message
    sender: PhoneNumber
    to: Peer
    repeated: bool
    may_send: bool


@dataclass(frozen=True, slots=True)
class SendQueuedMessage:
    """Hand a queued text to the carrier: at most once, whatever breaks in between."""

    store: Store
    carrier: Carrier
    clock: Clock

    async def __call__(self, account_id: AccountId, message_id: MessageId, lease: int) -> None:
        """Do it. Raises CarrierUnavailable: to be tried again, looking first. Repeating is harmless."""
        attempt = await self.attempt(account_id, message_id)
        if attempt.message.status is not Status.QUEUED or attempt.message.ref is not None:
            return  # sent before
        try:
            sent = await self.find(attempt) if attempt.repeated else None
            if sent is None and attempt.may_send:
                sent = await self.carrier.send(message_id, attempt.sender, attempt.to, attempt.message.body)
        except CarrierRefused as refused:
            await self.refused(account_id, message_id, refused, lease)
        else:
            await self.answered(account_id, message_id, sent, lease)

    @retry_on_version_conflict
    async def attempt(self, account_id: AccountId, message_id: MessageId) -> Attempt:
        """Put the attempt on record before the carrier hears of it."""
        async with self.store.begin(account_id) as tx:
            message = await tx.message(message_id)
            line, peer = await tx.line(message.line_id), (await tx.conversation(message.conversation_id)).peer
            may_send = line.state is LineState.ACTIVE
            repeated = message.attempted_at is not None
            if may_send:
                message.attempt(self.clock.now())
            tx.require_unchanged(line)
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

    @retry_on_version_conflict
    async def answered(
        self, account_id: AccountId, message_id: MessageId, sent: Sent | None, lease: int
    ) -> None:
        """Commit the carrier's answer; none was asked for when the line had stopped carrying texts."""
        now = self.clock.now()
        async with self.store.begin(account_id, completing=lease) as tx:
            message = await tx.any_message(message_id)
            if sent is None:
                message.advance(Status.FAILED, None, now)
            else:
                message.accepted(sent.ref, sent.status, sent.error, now)
            tx.save(message)

    @retry_on_version_conflict
    async def refused(
        self, account_id: AccountId, message_id: MessageId, refused: CarrierRefused, lease: int
    ) -> None:
        """Commit the carrier's refusal."""
        now = self.clock.now()
        async with self.store.begin(account_id, completing=lease) as tx:
            message = await tx.any_message(message_id)
            message.advance(Status.FAILED, refused.provider_code, now)
            tx.save(message)
            if isinstance(refused, OptedOut):
                with suppress(NotFound):  # deleted meanwhile
                    conversation = await tx.conversation(message.conversation_id)
                    conversation.note_opt_out(now)
                    tx.save(conversation)
