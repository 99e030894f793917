"""Promises about pages: full, in order, without gaps or repeats, whatever comes and goes meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from application.inventory import INVENTORY
from domain.kernel import AccountId, CarrierRef, ConversationId, MessageId, NotFound, StorageKind
from domain.messages import Conversation, Message
from tests.contract.store.world import World


class PagePromises:
    async def test_messages_come_in_pages_newest_first_without_gaps_or_repeats(self, world: World) -> None:
        conversation, texts = await self._texts(world, 7)
        newest_first = [text.id for text in reversed(texts)]
        for limit in (1, 3, 7, 8):
            assert await self._message_pages(world, conversation, limit) == newest_first
        async with world.store.begin(conversation.account_id) as tx:
            assert [m.id for m in await tx.messages(conversation.id, None, 3)] == newest_first[:3]

    async def test_texts_that_come_and_go_while_someone_pages_shift_nothing(self, world: World) -> None:
        conversation, texts = await self._texts(world, 6)
        async with world.store.begin(conversation.account_id) as tx:
            first = await tx.messages(conversation.id, None, 2)
        await world.commit(
            conversation.account_id, world.new_message(conversation), world.new_message(conversation)
        )
        async with world.store.begin(conversation.account_id) as tx:
            tx.remove(first[-1])
        async with world.store.begin(conversation.account_id) as tx:
            rest = await tx.messages(conversation.id, first[-1].id, 9)
        assert [m.id for m in [*first, *rest]] == [text.id for text in reversed(texts)]

    async def test_a_deleted_text_is_hidden_and_its_page_is_full_all_the_same(self, world: World) -> None:
        conversation, texts = await self._texts(world, 5)
        gone = texts[3]
        async with world.store.begin(conversation.account_id) as tx:
            message = await tx.message(gone.id)
            message.delete(world.clock.now())
            tx.save(message)
        async with world.store.begin(conversation.account_id) as tx:
            with pytest.raises(NotFound):
                await tx.message(gone.id)
            page = await tx.messages(conversation.id, None, 3)
            assert [m.id for m in page] == [texts[4].id, texts[2].id, texts[1].id]
            hidden = await tx.any_message(gone.id)
            assert (hidden.body, hidden.deleted_at) == ("", world.clock.now())
            assert await tx.message_by_ref(gone.ref or CarrierRef("")) == hidden

    async def test_conversations_come_in_pages_liveliest_first_even_when_instants_are_equal(
        self, world: World
    ) -> None:
        line = await world.line(await world.account())
        instants = [world.clock.now() + timedelta(minutes=m, microseconds=1) for m in (0, 5, 5, 5, 2, 9, 9)]
        made = [world.new_conversation(line, last_at=at) for at in instants]
        await world.commit(line.account_id, *made)
        liveliest_first = [c.id for c in sorted(made, key=lambda c: (c.last_at, c.id), reverse=True)]
        for limit in (1, 2, 3, 7, 8):
            assert await self._conversation_pages(world, line.account_id, limit) == liveliest_first

    async def test_conversations_that_begin_while_someone_pages_shift_nothing(self, world: World) -> None:
        line = await world.line(await world.account())
        made = []
        for _ in range(5):
            made.append(world.new_conversation(line))
            world.clock.advance(timedelta(seconds=1))
        await world.commit(line.account_id, *made)
        async with world.store.begin(line.account_id) as tx:
            first = await tx.conversations(None, None, 2)
        await world.commit(line.account_id, world.new_conversation(line))
        async with world.store.begin(line.account_id) as tx:
            rest = await tx.conversations(None, (first[-1].last_at, first[-1].id), 9)
        assert [c.id for c in [*first, *rest]] == [c.id for c in reversed(made)]

    async def test_conversations_can_be_narrowed_to_one_line(self, world: World) -> None:
        account_id = await world.account()
        one, two = await world.line(account_id), await world.line(account_id)
        mine = [world.new_conversation(one), world.new_conversation(one)]
        await world.commit(account_id, *mine, world.new_conversation(two), world.new_conversation(two))
        async with world.store.begin(account_id) as tx:
            newest, oldest = await tx.conversations(one.id, None, 9)
            assert [newest.id, oldest.id] == [mine[1].id, mine[0].id]
            assert await tx.conversations(one.id, (newest.last_at, newest.id), 9) == [oldest]
            assert len(await tx.conversations(one.id, None, 1)) == 1
            assert len(await tx.conversations(None, None, 9)) == 4

    async def test_a_deleted_conversation_is_cleared_batch_by_batch(self, world: World) -> None:
        conversation, texts = await self._texts(world, 5)
        async with world.store.begin(conversation.account_id) as tx:
            gone, blank = await tx.conversation(conversation.id), await tx.message(texts[1].id)
            gone.delete(world.clock.now())
            blank.delete(world.clock.now())
            tx.save(gone)
            tx.save(blank)
        cleared: list[MessageId] = []
        for batch in (2, 2, 0):
            async with world.store.begin(conversation.account_id) as tx:
                left = await tx.messages_to_purge(conversation.id, 2)
                assert len(left) == batch
                for message in left:
                    tx.remove(message)
                    cleared.append(message.id)
        assert cleared == [texts[0].id, texts[2].id, texts[3].id, texts[4].id]
        async with world.store.begin(conversation.account_id) as tx:
            tx.remove(await tx.deleted_conversation(conversation.id))
        async with world.store.begin(conversation.account_id) as tx:
            assert (await tx.any_message(blank.id)).body == "", "it waits for the carrier's copy to go"
            with pytest.raises(NotFound):
                await tx.message(blank.id)

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
            while page := await tx.with_carrier_copy(found[-1] if found else None, 2):
                assert len(page) <= 2
                assert len(found) < 99
                found += [message.id for message in page]
        assert found == [message.id for message in copied]

    async def test_rows_page_through_all_that_can_be_read_back_in_order_of_id(self, world: World) -> None:
        has = await world.belongings()
        await world.commit(has.account_id, *(world.new_message(has.conversation) for _ in range(3)))
        async with world.store.begin(has.account_id) as tx:
            count_records = await tx.count_records()
            for stored in INVENTORY:
                if not stored.exported:
                    continue
                found: list[dict[str, Any]] = []
                while page := await tx.export_page(stored, found[-1]["id"] if found else None, 2):
                    assert len(page) <= 2
                    assert len(found) < 99
                    found += page
                assert [row["id"] for row in found] == sorted({row["id"] for row in found})
                assert len(found) == count_records[stored.name] > 0
                readable = frozenset(
                    column.name for column in stored.columns if column.kind is not StorageKind.INDEX
                )
                assert {frozenset(row) for row in found} == {readable}
            (message,) = [
                row for row in await tx.export_page(INVENTORY[4], None, 9) if row["id"] == has.message.id
            ]
            for name, value in message.items():
                assert value == getattr(has.message, name)
            (line,) = await tx.export_page(INVENTORY[2], None, 9)
            assert (line["number"], line["capabilities"], line["label"]) == (has.line.number, ["sms"], None)

    # What these promises are played on

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
            while page := await tx.messages(conversation.id, seen[-1] if seen else None, limit):
                assert len(page) <= limit
                seen += [message.id for message in page]
                assert len(seen) < 99
        return seen

    async def _conversation_pages(
        self, world: World, account_id: AccountId, limit: int
    ) -> list[ConversationId]:
        seen: list[Conversation] = []
        async with world.store.begin(account_id) as tx:
            while page := await tx.conversations(
                None, (seen[-1].last_at, seen[-1].id) if seen else None, limit
            ):
                assert len(page) <= limit
                seen += page
                assert len(seen) < 99
        return [conversation.id for conversation in seen]
