"""What you delete goes at once here and then everywhere: each message, and each conversation."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from application.message_deletion import DeleteCarrierCopy
from application.messages import DeleteConversation, DeleteMessage
from application.ports.jobs import JobLease
from domain.kernel import AccountId, ConversationId, MessageId, NotFound
from domain.messages import Message
from tests.contract.proofs.test_carrier_copies import keeps_copies
from tests.support.actors import with_line
from tests.support.harness import Anywhere
from tests.support.lying_there import ids, records
from tests.support.proofs import proves

HOUR = timedelta(hours=1)


class DeletesNothing(DeleteMessage):
    """Marks a text for later."""

    async def __call__(self, account_id: AccountId, message_id: MessageId) -> None:
        async with self.store.begin(account_id) as tx:
            await tx.messages.get(message_id)


class HidesOnly(DeleteCarrierCopy):
    """Has the carrier delete its copy, and keeps ours, out of sight."""

    async def commit(self, account_id: AccountId, message_id: MessageId, lease: JobLease) -> None:
        async with self.store.begin(account_id, completing=lease) as tx:
            await tx.messages.get_even_deleted(message_id)


def deletes_nothing(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_message=DeletesNothing)


def only_hides(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_carrier_copy=HidesOnly)


class DeletesNoConversation(DeleteConversation):
    """Marks a conversation for later."""

    async def __call__(self, account_id: AccountId, conversation_id: ConversationId) -> None:
        async with self.store.begin(account_id) as tx:
            await tx.conversations.get(conversation_id)


def deletes_no_conversation(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, delete_conversation=DeletesNoConversation)


@proves("H19", text="9da48477c302", saboteur=deletes_nothing, says="a deleted message is seen")
@proves("H19", text="9da48477c302", saboteur=deletes_no_conversation, says="a deleted conversation is seen")
@proves("H19", text="9da48477c302", saboteur=only_hides, says="our copy is kept, out of sight")
@proves("H19", text="9da48477c302", saboteur=keeps_copies, says="the carrier's copy stays")
async def test_what_you_delete_goes_at_once_here_and_then_everywhere(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        await ada.sends("regret")
        await ada.sends("shame")
        await made.settle()
        (conversation,) = (await made.use_cases.list_conversations(ada.id, None, None, 9)).items
        shame, regret = (await made.use_cases.list_messages(ada.id, conversation.id, None, 9)).items
        await made.use_cases.delete_message(ada.id, regret.id)
        assert await ada.inbox() == ["shame"], "a deleted message is seen"
        with pytest.raises(NotFound):
            await made.use_cases.read_message(ada.id, regret.id)
        assert "regret" not in str(await records(made, ada.id)), "a deleted message is only hidden"
        await made.use_cases.delete_conversation(ada.id, conversation.id)
        assert await ada.inbox() == [], "a deleted conversation is seen"
        with pytest.raises(NotFound):
            await made.use_cases.read_conversation(ada.id, conversation.id)
        for _ in range(3):
            await made.advance(HOUR)
        rows = await made.store.count_rows(ada.id)
        assert (rows["conversations"], rows["messages"]) == (0, 0), "our copy is kept, out of sight"
        assert not made.carrier.messages, "the carrier's copy stays"
        assert shame.id not in await ids(made, Message, ada.id)
