"""Use cases of forgetting texts: the carrier's copies of them, and whole conversations, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from application.ports.carrier import Carrier, TooEarly
from application.ports.store import Store
from application.ports.system import Clock
from application.unit_of_work import retry_on_version_conflict
from domain.kernel import (
    AccountId,
    CarrierRef,
    ConversationId,
    MessageId,
    NotFound,
)
from domain.messages import Message

STRAY_AFTER = timedelta(hours=1)
"""By then an answer that has not come will not come."""
BATCH = 200
"""Texts cleared per commit when a conversation is deleted."""


@dataclass(frozen=True, slots=True)
class DeleteCarrierCopy:
    """Delete the carrier's copy of a text; then the row itself, if the person deleted the text."""

    store: Store
    carrier: Carrier
    clock: Clock

    async def __call__(self, account_id: AccountId, message_id: MessageId, lease: int) -> None:
        """Do it. Raises CarrierUnavailable, TooEarly: to be tried again. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            message = await tx.any_message(message_id)
        if message.has_carrier_copy:
            for ref in [message.ref] if message.ref is not None else await self.find_unreferenced(message):
                if (wait := await self.carrier.purge(ref)) is not None:
                    raise TooEarly(wait)
        await self.commit(account_id, message_id, lease)

    async def find_unreferenced(self, message: Message) -> list[CarrierRef]:
        """Find the copy of a text that was deleted before the carrier's answer told us its reference.

        Raises TooEarly while that answer, or a status report, may still come. Where the whole conversation is gone,
        whom it went to is forgotten: such a copy goes with the number's other list_message_refs when the line
        is released.
        """
        since = message.attempted_at
        if since is None or self.clock.now() < since + STRAY_AFTER:
            raise TooEarly(STRAY_AFTER)
        try:
            async with self.store.begin(message.account_id) as tx:
                line = await tx.line(message.line_id)
                conversation = await tx.conversation(message.conversation_id)
        except NotFound:
            return []
        found = await self.carrier.find_sent(line.number, conversation.peer, None, since, since + STRAY_AFTER)
        async with self.store.begin(message.account_id) as tx:
            return [sent.ref for sent in found if await tx.message_by_ref(sent.ref) is None]

    @retry_on_version_conflict
    async def commit(self, account_id: AccountId, message_id: MessageId, lease: int) -> None:
        """Commit that the copy is gone."""
        async with self.store.begin(account_id, completing=lease) as tx:
            message = await tx.any_message(message_id)
            if message.deleted_at is not None:
                tx.remove(message)
            elif message.copy_deleted_at is None:
                message.carrier_copy_deleted(self.clock.now())
                tx.save(message)


@dataclass(frozen=True, slots=True)
class PurgeConversation:
    """Delete the texts of a deleted conversation batch by batch, then the conversation."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, conversation_id: ConversationId, lease: int) -> None:
        """Do it. Repeating is harmless."""
        while await self.purge_batch(account_id, conversation_id):
            pass
        await self.finish(account_id, conversation_id, lease)

    @retry_on_version_conflict
    async def purge_batch(self, account_id: AccountId, conversation_id: ConversationId) -> bool:
        """Clear one batch; tell whether there was one. A text with a carrier copy stays, blank, until its purge."""
        async with self.store.begin(account_id) as tx:
            await tx.deleted_conversation(conversation_id)
            texts = await tx.messages_to_purge(conversation_id, BATCH)
            for message in texts:
                if message.has_carrier_copy:
                    message.delete(self.clock.now())
                    tx.save(message)
                else:
                    tx.remove(message)
        return bool(texts)

    @retry_on_version_conflict
    async def finish(self, account_id: AccountId, conversation_id: ConversationId, lease: int) -> None:
        """Remove the conversation itself."""
        async with self.store.begin(account_id, completing=lease) as tx:
            tx.remove(await tx.deleted_conversation(conversation_id))
