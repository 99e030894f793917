"""Promises about conversations: pages in order of life, and nothing of what was deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from application.inventory import BY_TYPE
from application.ports.repositories.conversations import ConversationRow
from application.ports.store import VersionConflict
from domain.kernel import (
    AccountId,
    CarrierRef,
    ConversationId,
    NotFound,
)
from domain.opt_outs import LastingOptOut
from tests.contract.store.world import World


class ConversationPromises:
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
            first = await tx.conversations.page(None, None, 2)
        await world.commit(line.account_id, world.new_conversation(line))
        async with world.store.begin(line.account_id) as tx:
            rest = await tx.conversations.page(None, (first[-1].last_at, first[-1].id), 9)
        assert [c.id for c in [*first, *rest]] == [c.id for c in reversed(made)]

    async def test_conversations_can_be_narrowed_to_one_line(self, world: World) -> None:
        account_id = await world.account()
        one, two = await world.line(account_id), await world.line(account_id)
        mine = [world.new_conversation(one), world.new_conversation(one)]
        await world.commit(account_id, *mine, world.new_conversation(two), world.new_conversation(two))
        async with world.store.begin(account_id) as tx:
            newest, oldest = await tx.conversations.page(one.id, None, 9)
            assert [newest.id, oldest.id] == [mine[1].id, mine[0].id]
            assert await tx.conversations.page(one.id, (newest.last_at, newest.id), 9) == [oldest]
            assert len(await tx.conversations.page(one.id, None, 1)) == 1
            assert len(await tx.conversations.page(None, None, 9)) == 4

    async def test_a_deleted_conversation_vanishes_at_once_with_everything_in_it(self, world: World) -> None:
        has = await world.belongings()
        async with world.store.begin(has.account_id) as tx:
            for hidden in (
                lambda: tx.conversations.get(has.deleted.id), lambda: tx.messages.get(has.remnant.id),
                lambda: tx.messages.page(has.deleted.id, None, 9),
                lambda: tx.conversations.get_deleted(has.conversation.id),
            ):  # fmt: skip
                with pytest.raises(NotFound):
                    await hidden()
            assert [c.id for c in await tx.conversations.page(None, None, 9)] == [has.conversation.id]
            assert (
                await tx.conversations.context(has.line.id, has.deleted.peer, has.operation)
            ).conversation is None
            assert (await tx.conversations.get_deleted(has.deleted.id)).deleted_at == has.deleted.deleted_at
            assert (await tx.messages.get_even_deleted(has.remnant.id)).body == has.remnant.body
            assert await tx.messages.by_ref(has.remnant.ref or CarrierRef("")) == replace(
                has.remnant, version=1
            )

    async def test_a_deleted_conversation_frees_the_peer_for_a_new_one(self, world: World) -> None:
        has = await world.belongings()
        again = world.new_conversation(has.line, has.deleted.peer)
        await world.commit(has.account_id, again)
        async with world.store.begin(has.account_id) as tx:
            found = (
                await tx.conversations.context(has.line.id, has.deleted.peer, has.operation)
            ).conversation
            assert found is not None
            assert found.id == again.id
            assert await tx.messages.page(again.id, None, 9) == []

    async def test_what_is_left_of_a_stop_is_found_by_line_and_peer_and_cannot_be_read(
        self, world: World
    ) -> None:
        has = await world.belongings()
        other = await world.line(has.account_id)
        async with world.store.begin(has.account_id) as tx:
            for peer, kept in ((has.deleted.peer, has.opt_out), (has.conversation.peer, None)):
                context = await tx.conversations.context(has.line.id, peer, has.operation)
                for found in (context.opt_out, await tx.conversations.opt_out(has.line.id, peer)):
                    assert (found and (found.id, found.line_id, found.opted_out_at)) == (
                        kept and (kept.id, kept.line_id, kept.opted_out_at)
                    )
            assert [kept.id for kept in await tx.conversations.opt_outs(has.line.id)] == [has.opt_out.id]
            assert await tx.conversations.opt_outs(other.id) == []
            assert await tx.conversations.opt_out(other.id, has.deleted.peer) is None
            (shown,) = await tx.records.page(BY_TYPE[LastingOptOut], None, 9)
            assert "peer" not in shown
        with pytest.raises(VersionConflict):
            await world.commit(has.account_id, world.new_opt_out(has.line, has.deleted.peer))
        async with world.store.begin(has.account_id) as tx:
            for kept in await tx.conversations.opt_outs(has.line.id):
                tx.remove(kept)
        await world.commit(has.account_id, world.new_opt_out(has.line, has.deleted.peer))

    async def test_a_conversation_is_found_by_its_peer_until_it_is_deleted(self, world: World) -> None:
        has = await world.belongings()
        async with world.store.begin(has.account_id) as tx:
            found = await tx.conversations.with_peer(has.line.id, has.conversation.peer)
            assert found is not None
            assert found.id == has.conversation.id
            assert await tx.conversations.with_peer(has.line.id, has.deleted.peer) is None

    async def _conversation_pages(
        self, world: World, account_id: AccountId, limit: int
    ) -> list[ConversationId]:
        seen: list[ConversationRow] = []
        async with world.store.begin(account_id) as tx:
            while page := await tx.conversations.page(
                None, (seen[-1].last_at, seen[-1].id) if seen else None, limit
            ):
                assert len(page) <= limit
                seen += page
                assert len(seen) < 99
        return [conversation.id for conversation in seen]
