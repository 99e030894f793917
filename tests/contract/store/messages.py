"""Promises about messages: pages that are full and in order, without gaps or repeats, whatever comes and goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.kernel import (
    CarrierRef,
    MessageId,
    NotFound,
)
from domain.messages import Conversation, Message
from tests.contract.store.world import World


class MessagePromises:
    async def test_messages_come_in_pages_newest_first_without_gaps_or_repeats(self, world: World) -> None:
        conversation, texts = await self._texts(world, 7)
        newest_first = [text.id for text in reversed(texts)]
        for limit in (1, 3, 7, 8):
            assert await self._message_pages(world, conversation, limit) == newest_first
        async with world.store.begin(conversation.account_id) as tx:
            assert [m.id for m in await tx.messages.page(conversation.id, None, 3)] == newest_first[:3]

    async def test_texts_that_come_and_go_while_someone_pages_shift_nothing(self, world: World) -> None:
        conversation, texts = await self._texts(world, 6)
        async with world.store.begin(conversation.account_id) as tx:
            first = await tx.messages.page(conversation.id, None, 2)
        await world.commit(
            conversation.account_id, world.new_message(conversation), world.new_message(conversation)
        )
        async with world.store.begin(conversation.account_id) as tx:
            tx.remove(await tx.messages.get(first[-1].id))
        async with world.store.begin(conversation.account_id) as tx:
            rest = await tx.messages.page(conversation.id, first[-1].id, 9)
        assert [m.id for m in [*first, *rest]] == [text.id for text in reversed(texts)]

    async def test_a_deleted_text_is_hidden_and_its_page_is_full_all_the_same(self, world: World) -> None:
        conversation, texts = await self._texts(world, 5)
        gone = texts[3]
        async with world.store.begin(conversation.account_id) as tx:
            message = await tx.messages.get(gone.id)
            message.delete(world.clock.now())
            tx.save(message)
        async with world.store.begin(conversation.account_id) as tx:
            with pytest.raises(NotFound):
                await tx.messages.get(gone.id)
            page = await tx.messages.page(conversation.id, None, 3)
            assert [m.id for m in page] == [texts[4].id, texts[2].id, texts[1].id]
            hidden = await tx.messages.get_even_deleted(gone.id)
            assert (hidden.body, hidden.deleted_at) == ("", world.clock.now())
            assert await tx.messages.by_ref(gone.ref or CarrierRef("")) == hidden

    async def test_of_many_references_those_that_texts_have_are_told_deleted_ones_included(
        self, world: World
    ) -> None:
        conversation, texts = await self._texts(world, 3)
        refs = [text.ref or CarrierRef("") for text in texts]
        async with world.store.begin(conversation.account_id) as tx:
            gone = await tx.messages.get(texts[1].id)
            gone.delete(world.clock.now())
            tx.save(gone)
        async with world.store.begin(conversation.account_id) as tx:
            assert await tx.messages.known_refs([CarrierRef("SM0"), *refs[:2], refs[0]]) == set(refs[:2])
            assert await tx.messages.known_refs([]) == set()

    async def test_a_deleted_conversation_is_cleared_batch_by_batch(self, world: World) -> None:
        conversation, texts = await self._texts(world, 5)
        async with world.store.begin(conversation.account_id) as tx:
            gone, blank = await tx.conversations.get(conversation.id), await tx.messages.get(texts[1].id)
            gone.delete(world.clock.now())
            blank.delete(world.clock.now())
            tx.save(gone)
            tx.save(blank)
        cleared: list[MessageId] = []
        for batch in (2, 2, 0):
            async with world.store.begin(conversation.account_id) as tx:
                left = await tx.messages.to_purge(conversation.id, 2)
                assert len(left) == batch
                for message in left:
                    tx.remove(message)
                    cleared.append(message.id)
        assert cleared == [texts[0].id, texts[2].id, texts[3].id, texts[4].id]
        async with world.store.begin(conversation.account_id) as tx:
            tx.remove(await tx.conversations.get_deleted(conversation.id))
        async with world.store.begin(conversation.account_id) as tx:
            assert (await tx.messages.get_even_deleted(blank.id)).body == "", (
                "it waits for the carrier's copy to go"
            )
            with pytest.raises(NotFound):
                await tx.messages.get(blank.id)

    async def test_texts_with_a_copy_at_the_carrier_come_in_pages_oldest_first(self, world: World) -> None:
        conversation = world.new_conversation(await world.line(await world.account()))
        copied = [world.new_message(conversation) for _ in range(5)]
        copied[1].deleted_at = copied[3].deleted_at = world.clock.now()
        purged, unsent = world.new_message(conversation), world.new_message(conversation)
        purged.copy_deleted_at = unsent.attempted_at = world.clock.now()
        unsent.ref = None
        await world.commit(conversation.account_id, conversation, *reversed(copied), purged, unsent)
        found: list[MessageId] = []
        async with world.store.begin(conversation.account_id) as tx:
            while page := await tx.messages.with_carrier_copy(found[-1] if found else None, 2):
                assert len(page) <= 2
                assert len(found) < 99
                found += [message.id for message in page]
        assert found == [message.id for message in copied]

    async def test_two_accounts_may_know_a_text_by_the_same_reference(self, world: World) -> None:
        for _ in range(2):
            line = await world.line(await world.account())
            conversation = world.new_conversation(line)
            message = world.new_message(conversation, ref="SM1")
            await world.commit(line.account_id, conversation, message)
            async with world.store.begin(line.account_id) as tx:
                assert await tx.messages.by_ref(CarrierRef("SM1")) == replace(message, version=1)

    async def _texts(self, world: World, count: int) -> tuple[Conversation, list[Message]]:
        """Store a conversation with `count` texts (oldest first) beside another one of the same line."""
        line = await world.line(await world.account())
        conversation, other = world.new_conversation(line), world.new_conversation(line)
        await world.commit(line.account_id, conversation, other)
        texts: list[Message] = []
        for _ in range(count):
            texts.append(world.new_message(conversation))
            await world.commit(line.account_id, texts[-1], world.new_message(other))
            world.clock.advance(timedelta(seconds=1))
        return conversation, texts

    async def _message_pages(self, world: World, conversation: Conversation, limit: int) -> list[MessageId]:
        seen: list[MessageId] = []
        async with world.store.begin(conversation.account_id) as tx:
            while page := await tx.messages.page(conversation.id, seen[-1] if seen else None, limit):
                assert len(page) <= limit
                seen += [message.id for message in page]
                assert len(seen) < 99
        return seen
