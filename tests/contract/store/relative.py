"""Promises about what changes relatively: counts add up and instants go forward, however many write at once."""

# ruff: noqa: PT012 - the statement that raises is the end of the unit of work

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from application.ports.store import VersionConflict
from domain.messages import Conversation
from tests.contract.store.world import World

MINUTE = timedelta(minutes=1)


class RelativePromises:
    async def test_of_many_who_add_at_the_same_moment_all_succeed_and_add_up(self, world: World) -> None:
        conversation = await self._conversation(world)

        async def one_more(minutes: int) -> None:
            async with world.store.begin(conversation.account_id) as tx:
                mine = await tx.conversations.get(conversation.id)
                mine.unread += 1
                mine.last_at = max(mine.last_at, conversation.last_at + minutes * MINUTE)
                tx.save(mine)
                tx.save(world.new_message(conversation))

        await asyncio.gather(*(one_more(minutes) for minutes in range(64)))
        found = await self._read(world, conversation)
        assert found.unread == conversation.unread + 64
        assert found.last_at == conversation.last_at + 63 * MINUTE
        assert found.version == 1, "moving a thing is no news to those who read it"

    async def test_an_instant_only_goes_forward(self, world: World) -> None:
        conversation = await self._conversation(world)
        async with world.store.begin(conversation.account_id) as slow:
            late = await slow.conversations.get(conversation.id)
            await self._move(world, conversation, minutes=9)
            late.last_at += MINUTE
            slow.save(late)
        assert (await self._read(world, conversation)).last_at == conversation.last_at + 9 * MINUTE

    async def test_marking_as_read_takes_away_what_was_seen_and_no_more(self, world: World) -> None:
        conversation = await self._conversation(world)
        async with world.store.begin(conversation.account_id) as slow:
            mine = await slow.conversations.get(conversation.id)
            await self._move(world, conversation, minutes=1)
            mine.mark_read(world.clock.now())
            slow.save(mine)
        assert (await self._read(world, conversation)).unread == 1

    async def test_nothing_is_taken_from_what_was_emptied_meanwhile(self, world: World) -> None:
        conversation = await self._conversation(world, unread=2)
        with pytest.raises(VersionConflict):
            async with world.store.begin(conversation.account_id) as slow:
                mine = await slow.conversations.get(conversation.id)
                async with world.store.begin(conversation.account_id) as tx:
                    theirs = await tx.conversations.get(conversation.id)
                    theirs.mark_read(world.clock.now())
                    tx.save(theirs)
                mine.unread -= 1
                slow.save(mine)
        conversation = await self._conversation(world, unread=2)
        async with world.store.begin(conversation.account_id) as slow:
            mine = await slow.conversations.get(conversation.id)
            async with world.store.begin(conversation.account_id) as tx:
                theirs = await tx.conversations.get(conversation.id)
                theirs.unread -= 1
                tx.save(theirs)
            mine.mark_read(world.clock.now())
            slow.save(mine)
        assert (await self._read(world, conversation)).unread == 0

    async def test_what_was_deleted_or_decided_meanwhile_is_a_conflict_all_the_same(
        self, world: World
    ) -> None:
        for decide in (Conversation.delete, Conversation.note_opt_out):
            conversation = await self._conversation(world)
            before = await self._messages(world, conversation)
            with pytest.raises(VersionConflict):
                async with world.store.begin(conversation.account_id) as slow:
                    mine = await slow.conversations.get(conversation.id)
                    async with world.store.begin(conversation.account_id) as tx:
                        theirs = await tx.conversations.get(conversation.id)
                        decide(theirs, world.clock.now())
                        tx.save(theirs)
                    mine.unread += 1
                    slow.save(mine)
                    slow.save(world.new_message(conversation))
            assert await self._messages(world, conversation) == before

    async def test_a_decision_rests_on_what_was_read_though_that_was_moved_since(self, world: World) -> None:
        conversation = await self._conversation(world)
        async with world.store.begin(conversation.account_id) as slow:
            mine = await slow.conversations.get(conversation.id)
            await self._move(world, conversation, minutes=1)
            mine.unread += 1
            mine.note_opt_out(world.clock.now())
            slow.save(mine)
        found = await self._read(world, conversation)
        assert (found.unread, found.opted_out_at) == (conversation.unread + 2, world.clock.now())
        assert found.version == 2

    # What these promises are played on

    async def _conversation(self, world: World, unread: int = 1) -> Conversation:
        line = await world.line(await world.account())
        conversation = world.new_conversation(line)
        conversation.unread = unread
        await world.commit(line.account_id, conversation)
        return conversation

    async def _move(self, world: World, conversation: Conversation, minutes: int) -> None:
        async with world.store.begin(conversation.account_id) as tx:
            mine = await tx.conversations.get(conversation.id)
            mine.unread += 1
            mine.last_at += minutes * MINUTE
            tx.save(mine)

    async def _read(self, world: World, conversation: Conversation) -> Conversation:
        async with world.store.begin(conversation.account_id) as tx:
            return await tx.conversations.get(conversation.id)

    async def _messages(self, world: World, conversation: Conversation) -> int:
        async with world.store.begin(conversation.account_id) as tx:
            return (await tx.records.count())["messages"]
