"""The use case that hands a message to the carrier."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from application.job_type import NOW, JobType
from application.ports.carrier import Carrier, CarrierRefused, OptedOut, Sent
from application.ports.clock import Clock
from application.ports.jobs import JobLease
from application.ports.store import Store, Tx
from domain.kernel import AccountId, MessageId, NotFound
from domain.messages import Message, MessageQueued
from domain.values import Peer, PhoneNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A message about to be handed over.

    `repeated`: the carrier may have it already. `may_send`: the line accepts messages.
    """

    message: Message
    sender: PhoneNumber
    to: Peer
    repeated: bool
    may_send: bool


@dataclass(frozen=True, slots=True)
class SendQueuedMessage:
    """Hands a queued message to the carrier: at most once, whatever breaks in between."""

    store: Store
    carrier: Carrier
    clock: Clock

    async def __call__(self, account_id: AccountId, message_id: MessageId, lease: JobLease) -> None:
        """Send the message. Raises CarrierUnavailable: to be tried again, looking first. Repeating is harmless."""
        attempt = await self._attempt(account_id, message_id)
        if not attempt.message.is_waiting:
            return  # sent before
        try:
            sent = await self._find(attempt) if attempt.repeated else None
            if sent is None and attempt.may_send:
                sent = await self.carrier.send(message_id, attempt.sender, attempt.to, attempt.message.body)
        except CarrierRefused as refused:
            await self._commit_refusal(account_id, message_id, refused, lease)
        else:
            await self._commit_answer(account_id, message_id, sent, lease)

    async def _attempt(self, account_id: AccountId, message_id: MessageId) -> Attempt:
        """Put the attempt on record before the carrier hears of it."""

        async def change(tx: Tx) -> Attempt:
            message = await tx.messages.get(message_id)
            line = await tx.lines.get(message.line_id)
            peer = (await tx.conversations.get(message.conversation_id)).peer
            repeated = message.was_attempted
            if line.accepts_messages:
                message.attempt(self.clock.now())
            tx.require_unchanged(line)
            tx.save(message)
            return Attempt(
                message=message,
                sender=line.number,
                to=peer,
                repeated=repeated,
                may_send=line.accepts_messages,
            )

        return await self.store.update(account_id, change)

    async def _find(self, attempt: Attempt) -> Sent | None:
        """Return what an earlier attempt sent, if it did and its answer was lost."""
        message = attempt.message
        if message.attempted_at is None:
            return None
        for sent in await self.carrier.find_sent(
            attempt.sender, attempt.to, message.body, message.attempted_at
        ):
            async with self.store.begin(message.account_id) as tx:
                if await tx.messages.by_ref(sent.ref) is None:
                    return sent
        return None

    async def _commit_answer(
        self, account_id: AccountId, message_id: MessageId, sent: Sent | None, lease: JobLease
    ) -> None:
        """Commit the carrier's answer; none was asked for when the line had stopped accepting messages."""

        async def change(tx: Tx) -> None:
            now = self.clock.now()
            message = await tx.messages.get_even_deleted(message_id)
            if sent is None:
                message.fail(None, now)
            else:
                message.accepted(sent.ref, sent.status, sent.error, now)
            tx.save(message)

        await self.store.update(account_id, change, completing=lease)

    async def _commit_refusal(
        self, account_id: AccountId, message_id: MessageId, refused: CarrierRefused, lease: JobLease
    ) -> None:
        """Commit the carrier's refusal."""

        async def change(tx: Tx) -> None:
            now = self.clock.now()
            message = await tx.messages.get_even_deleted(message_id)
            message.fail(refused.provider_code, now)
            tx.save(message)
            if isinstance(refused, OptedOut):
                with suppress(NotFound):  # deleted meanwhile
                    conversation = await tx.conversations.get(message.conversation_id)
                    conversation.note_opt_out(now)
                    tx.save(conversation)

        await self.store.update(account_id, change, completing=lease)


JOBS = (JobType("send_message", SendQueuedMessage, after={MessageQueued: NOW}),)
