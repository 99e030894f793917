"""Promises about the list of conversations: it says what a plain look at all messages would say."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.messages import DeleteMessage, MarkRead
from application.ports.repositories.conversations import ConversationRow, LastMessage
from application.ports.repositories.messages import MessageRow
from application.ports.store import Tx
from domain.kernel import AccountId, CarrierRef, ConversationId, MessageId
from domain.messages import Conversation, Direction
from domain.values import MessageBody
from tests.contract.store.world import World

laws = settings(
    max_examples=20,
    deadline=None,
    database=None,  # each store's test is its own executor: what one found is not replayed by another
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
STEPS = st.one_of(
    st.sampled_from(["in", "late", "out", "read", "wait"]),
    st.tuples(st.just("delete"), st.integers(0, 9)),
)


class InboxPromises:
    @laws
    @given(steps=st.lists(STEPS, max_size=14))
    async def test_a_list_says_what_a_plain_look_at_all_messages_would(
        self, world: World, steps: list[str | tuple[str, int]]
    ) -> None:
        conversation = await self.begun(world)
        unread: set[MessageId] = set()
        for step in steps:
            match step:
                case "in":
                    unread.add(await self.say(world, conversation, inbound=True))
                case "late":
                    unread.add(await self.say(world, conversation, inbound=True, late=timedelta(seconds=3)))
                case "out":
                    await self.say(world, conversation, inbound=False)
                case "read":
                    await MarkRead(world.store, world.clock)(conversation.account_id, conversation.id)
                    unread.clear()
                case "wait":
                    world.clock.advance(timedelta(seconds=2))
                case ("delete", place):
                    kept = await self.look(world, conversation)
                    for one in kept[int(place) : int(place) + 1]:
                        await self.delete(world, conversation, one.id)
                        unread.discard(one.id)
            await self.must_agree(world, conversation, unread=len(unread))

    async def test_of_256_who_write_at_once_none_is_refused_and_the_counts_are_right(
        self, world: World
    ) -> None:
        conversation = await self.begun(world)
        former = [await self.say(world, conversation, inbound=place % 2 == 0) for place in range(64)]
        writers = [self.say(world, conversation, inbound=place % 2 == 0) for place in range(192)]
        deleters = [self.delete(world, conversation, one) for one in former]
        await asyncio.gather(
            *(each for three in zip(*[iter(writers)] * 3, strict=True) for each in three), *deleters
        )
        await self.must_agree(world, conversation, unread=96)

    async def test_whoever_marks_as_read_while_others_write_and_delete_leaves_the_counts_right(
        self, world: World
    ) -> None:
        conversation = await self.begun(world)
        former = [await self.say(world, conversation, inbound=True) for _ in range(24)]
        mark = MarkRead(world.store, world.clock)
        await asyncio.gather(
            *(self.delete(world, conversation, one) for one in former[::2]),
            *(self.say(world, conversation, inbound=True) for _ in range(24)),
            *(mark(conversation.account_id, conversation.id) for _ in range(4)),
        )
        row = await self.must_agree(world, conversation)
        assert 0 <= row.unread <= 24, (
            "what came in meanwhile may have been seen or not; what was there has been"
        )
        await mark(conversation.account_id, conversation.id)
        await self.say(world, conversation, inbound=True)
        await self.must_agree(world, conversation, unread=1)

    async def test_a_message_tells_both_ends_alone_and_in_a_page(self, world: World) -> None:
        conversation = await self.begun(world)
        async with world.store.begin(conversation.account_id) as tx:
            number = (await tx.lines.get(conversation.line_id)).number
        said = [await self.say(world, conversation, inbound=inbound) for inbound in (True, False)]
        page = await self.look(world, conversation)
        assert [(one.id, one.peer, one.number) for one in page] == [
            (one, conversation.peer, number) for one in reversed(said)
        ]
        async with world.store.begin(conversation.account_id) as tx:
            assert [await tx.messages.shown(one.id) for one in page] == page

    # What these promises are played on

    async def begun(self, world: World) -> Conversation:
        line = await world.line(await world.account())
        conversation = world.new_conversation(line)
        conversation.unread = conversation.total = 0
        await world.commit(line.account_id, conversation)
        return conversation

    async def say(
        self, world: World, conversation: Conversation, *, inbound: bool, late: timedelta = timedelta()
    ) -> MessageId:
        async def change(tx: Tx) -> MessageId:
            mine, now = await tx.conversations.get(conversation.id), world.clock.now() - late
            message_id, body = MessageId(world.ids.new(after=mine.last_at)), MessageBody("שלום")
            if inbound:
                ref = CarrierRef(f"SM{message_id.hex}")
                message = mine.receive(message_id, body, ref, None, now)
            else:
                message = mine.send(message_id, body, now)
            tx.save(mine)
            tx.save(message)
            return message_id

        return await world.store.update(conversation.account_id, change)

    async def delete(self, world: World, conversation: Conversation, message_id: MessageId) -> None:
        await DeleteMessage(world.store, world.clock)(conversation.account_id, message_id)

    async def look(self, world: World, conversation: Conversation) -> list[MessageRow]:
        async with world.store.begin(conversation.account_id) as tx:
            return await tx.messages.page(conversation.id, None, 999)

    async def must_agree(
        self, world: World, conversation: Conversation, unread: int | None = None
    ) -> ConversationRow:
        kept = await self.look(world, conversation)
        row = await self.row(world, conversation.account_id, conversation.id)
        last = [
            LastMessage(m.id, m.direction, m.status, m.body, m.created_at, m.attachments) for m in kept[:1]
        ]
        assert (row.total, row.last_message) == (len(kept), last[0] if last else None)
        inbound = sum(message.direction is Direction.INBOUND for message in kept)
        assert row.unread <= inbound
        if unread is not None:
            assert row.unread == unread
        return row

    async def row(
        self, world: World, account_id: AccountId, conversation_id: ConversationId
    ) -> ConversationRow:
        async with world.store.begin(account_id) as tx:
            (listed,) = await tx.conversations.page(None, None, 9)
            assert await tx.conversations.shown(conversation_id) == listed
        return listed
