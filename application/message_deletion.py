"""Use cases that delete messages: the carrier's copies of them, and whole conversations, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from application.carrier_copies import delete_verified
from application.hold import HoldOfJob
from application.job_type import NOW, JobType, Provider
from application.ports.clock import Clock
from application.ports.jobs import JobLease, Queue
from application.ports.message_carrier import MessageCarrier, TooEarly
from application.ports.objects import Objects
from application.ports.store import Store, Tx
from domain.kernel import AccountId, CarrierRef, ConversationId, MessageId, NotFound
from domain.media import MediaKept
from domain.messages import (
    ConversationDeleted,
    Message,
    MessageDeleted,
    MessageFinal,
    MessageReceived,
    MessageUnconfirmed,
)

DELETE_CARRIER_COPY = "delete_carrier_copy"
UNREFERENCED_AFTER = timedelta(hours=1)
"""By then an answer that has not come will not come."""
COPY_KEPT = timedelta(minutes=2)
"""How long the carrier's copy stays at least: deliveries of one message may come twice within moments."""
BATCH = 200
"""Messages deleted per commit when a conversation is purged."""


@dataclass(frozen=True, slots=True)
class DeleteCarrierCopy:
    """Deletes the carrier's copy of a message; then the row itself, if the person deleted the message."""

    store: Store
    queue: Queue
    carrier: MessageCarrier
    objects: Objects
    clock: Clock

    async def __call__(self, account_id: AccountId, message_id: MessageId, lease: JobLease) -> None:
        """Delete the copy. Repeating is harmless.

        Raises JobGone, and to be tried again CarrierUnavailable, TooEarly, NotYetGone.

        The copy of a message stays until every picture that came with it is safe with us, or the person deletes it.
        Where the carrier offers no deletion its copy stays on record as being there, for the erasure's receipt.
        """
        abilities = self.carrier.message_abilities
        async with self.store.begin(account_id) as tx:
            message = await tx.messages.get_even_deleted(message_id)
            media = await tx.media.of_messages([message_id]) if message.attachments else []
        kept = sum(each.is_kept and not each.altered for each in media)
        if not message.copy_may_go(kept) or (message.altered and not message.is_deleted):
            return  # of a message that we cannot read the carrier's copy is all there is
        if message.has_carrier_copy and abilities.can_delete_copies:
            settles = message.begins_at + abilities.copy_settles_after - self.clock.now()
            if settles > timedelta():
                raise TooEarly(settles)
            await delete_verified(
                self.carrier, await self._find(message), HoldOfJob(self.queue, account_id, lease)
            )
        if message.is_deleted:
            for each in media:
                await self.objects.delete(account_id, each.object_id)
        if abilities.can_delete_copies or message.is_deleted:
            await self.commit(account_id, message_id, lease)

    async def _find(self, message: Message) -> list[CarrierRef]:
        """Find the copy. An altered message may name somebody else's: it counts if it is of a number of the account."""
        if message.ref is None:
            return await self._find_unreferenced(message)
        if not message.altered:
            return [message.ref]
        if not self.carrier.message_abilities.can_list:
            return []
        async with self.store.begin(message.account_id) as tx:
            numbers = [
                line.number for line in await tx.lines.list_all() if line.holds_number and not line.altered
            ]
        listed = [ref for number in numbers for ref in await self.carrier.list_message_refs(number)]
        return [message.ref] if message.ref in listed else []

    async def _find_unreferenced(self, message: Message) -> list[CarrierRef]:
        """Find the copy of a message that was deleted before the carrier's answer told us its reference.

        Raises TooEarly while that answer, or a delivery receipt, may still come. Where the whole conversation is gone,
        whom it went to is forgotten: such a copy goes with what the carrier lists for the number at its release.
        """
        since = message.attempted_at
        if since is None or message.was_attempted_within(UNREFERENCED_AFTER, self.clock.now()):
            raise TooEarly(UNREFERENCED_AFTER)
        if not self.carrier.message_abilities.can_find_by_pair:
            return []
        try:
            async with self.store.begin(message.account_id) as tx:
                line = await tx.lines.get(message.line_id)
                conversation = await tx.conversations.get(message.conversation_id)
        except NotFound:
            return []
        until = since + UNREFERENCED_AFTER
        found = await self.carrier.find_by_pair(line.number, conversation.peer, None, since, until)
        async with self.store.begin(message.account_id) as tx:
            return [sent.ref for sent in found if await tx.messages.by_ref(sent.ref) is None]

    async def commit(self, account_id: AccountId, message_id: MessageId, lease: JobLease) -> None:
        """Commit that the copy is gone."""

        async def change(tx: Tx) -> None:
            message = await tx.messages.get_even_deleted(message_id)
            if message.is_deleted:
                tx.remove(message)
                for media in await tx.media.of_messages([message_id]) if message.attachments else ():
                    tx.remove(media)
            else:
                message.carrier_copy_deleted(self.clock.now())
                tx.save(message)

        await self.store.update(account_id, change, completing=lease)


@dataclass(frozen=True, slots=True)
class PurgeConversation:
    """Purges the messages of a deleted conversation batch by batch, then the conversation."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, conversation_id: ConversationId, lease: JobLease) -> None:
        """Purge the conversation. Repeating is harmless."""
        while await self._purge_batch(account_id, conversation_id):
            pass

        async def change(tx: Tx) -> None:
            tx.remove(await tx.conversations.get_deleted(conversation_id))

        await self.store.update(account_id, change, completing=lease)

    async def _purge_batch(self, account_id: AccountId, conversation_id: ConversationId) -> bool:
        """Purge one batch; tell whether there was one.

        A message with a carrier copy or with pictures stays, blank, until these are gone.
        """

        async def change(tx: Tx) -> bool:
            await tx.conversations.get_deleted(conversation_id)
            messages = await tx.messages.to_purge(conversation_id, BATCH)
            for message in messages:
                if message.has_carrier_copy or message.attachments:
                    message.delete(self.clock.now())
                    tx.save(message)
                else:
                    tx.remove(message)
            return bool(messages)

        return await self.store.update(account_id, change)


JOBS = (
    JobType(
        DELETE_CARRIER_COPY,
        DeleteCarrierCopy,
        after={
            MessageReceived: COPY_KEPT,
            MessageFinal: COPY_KEPT,
            MessageUnconfirmed: COPY_KEPT,
            MessageDeleted: NOW,
            MediaKept: COPY_KEPT,
        },
        attempts=None,
        asks=Provider.CARRIER,
    ),
    JobType("purge_conversation", PurgeConversation, after={ConversationDeleted: NOW}),
)
