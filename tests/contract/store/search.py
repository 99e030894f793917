"""Promises about what is searched: segments by their places, messages between two, nothing that is deleted."""

from __future__ import annotations

from uuid import UUID

import pytest

from application.ports.repositories.search import SegmentPlace
from domain.kernel import MessageId, NotFound
from domain.search import Query, SegmentId, Wanted
from domain.values import Peer
from tests.contract.store.world import World

NIL, LAST = MessageId(UUID(int=0)), MessageId(UUID(int=2**128 - 1))


class SearchPromises:
    async def test_segments_are_found_newest_first_and_opened_as_they_were_packed(self, world: World) -> None:
        has = await world.belongings()
        later = [world.new_message(has.conversation, body=body) for body in ("one two", "three")]
        await world.commit(has.account_id, *later)
        second = world.new_segment(*later)
        await world.commit(has.account_id, second)
        async with world.store.begin(has.account_id) as tx:
            places = await tx.search.places()
            assert [place.id for place in places] == [second.id, has.segment.id]
            for _ in range(2):
                segment = await tx.search.opened(places[0])
                assert list(segment.search(Wanted(Query("thr")), None)) == [later[1].id]
            with pytest.raises(NotFound):
                await tx.search.opened(SegmentPlace(SegmentId(UUID(int=1)), NIL, NIL, 1))

    async def test_a_segment_that_was_made_anew_is_not_taken_for_the_old_one(self, world: World) -> None:
        has = await world.belongings()
        async with world.store.begin(has.account_id) as tx:
            (place,) = await tx.search.places()
            await tx.search.opened(place)
            segment = await tx.search.get_even_broken(place.id)
            segment.content = world.new_segment(world.new_message(has.conversation, body="anew")).content
            tx.save(segment)
        async with world.store.begin(has.account_id) as tx:
            (place,) = await tx.search.places()
            assert list((await tx.search.opened(place)).search(Wanted(Query("anew")), None))

    async def test_messages_are_read_between_two_and_deleted_ones_are_not_there(self, world: World) -> None:
        has = await world.belongings()
        made = [world.new_message(has.conversation) for _ in range(6)]
        made[2].delete(world.clock.now())
        await world.commit(has.account_id, *made)
        kept = [m.id for m in made if not m.is_deleted]
        async with world.store.begin(has.account_id) as tx:
            search = tx.search
            assert [s.id for s in await search.said_after(has.message.id, LAST, 9)] == kept
            assert [s.id for s in await search.said_after(kept[0], kept[2], 9)] == kept[1:3]
            assert [s.id for s in await search.said_after(NIL, LAST, 2)] == [has.message.id, kept[0]]
            assert [s.id for s in await search.said_before(None, has.message.id, 9)] == kept[::-1]
            assert [s.id for s in await search.said_before(kept[3], kept[0], 1)] == [kept[2]]
            (said, *_) = await search.said_after(NIL, LAST, 1)
            assert (said.body, said.line_id, said.conversation_id) == (
                has.message.body, has.line.id, has.conversation.id,
            )  # fmt: skip
            shown = await search.shown([*(m.id for m in made), has.remnant.id])
            assert [row.id for row in shown] == kept[::-1]
            assert {(row.peer, row.number) for row in shown} == {(has.conversation.peer, has.line.number)}

    async def test_conversations_with_a_peer_are_found_on_every_line(self, world: World) -> None:
        has = await world.belongings()
        other = await world.line(has.account_id)
        second = world.new_conversation(other, has.conversation.peer)
        await world.commit(has.account_id, second)
        async with world.store.begin(has.account_id) as tx:
            found = await tx.search.conversations_with(has.conversation.peer)
            assert found == {has.conversation.id, second.id}
            assert await tx.search.conversations_with(Peer("nobody")) == frozenset()
            assert await tx.search.conversations_with(has.deleted.peer) == frozenset()
