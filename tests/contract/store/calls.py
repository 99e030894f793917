"""Promises about calls: found by the carrier's reference, listed by line and by peer, gone from every list at once."""

from __future__ import annotations

from domain.kernel import CallId, CarrierRef
from domain.values import Peer
from tests.contract.store.world import World


class CallPromises:
    async def test_calls_come_in_pages_newest_first_of_a_line_and_with_a_peer(self, world: World) -> None:
        has = await world.belongings()
        noa, line = Peer(world.number()), has.line
        made = [world.new_call(line, peer) for peer in (noa, Peer(world.number()), noa, noa, noa)]
        await world.commit(has.account_id, *made)
        every, hers = [has.call, *made], [call for call in made if call.peer == noa]
        for peer, expected in ((None, every), (noa, hers)):
            for line_id in (None, line.id):
                seen: list[CallId] = []
                async with world.store.begin(has.account_id) as tx:
                    while page := await tx.calls.page(line_id, peer, seen[-1] if seen else None, 2):
                        seen += [call.id for call in page]
                assert seen == [call.id for call in reversed(expected)]

    async def test_a_call_whose_number_is_withheld_is_kept(self, world: World) -> None:
        has = await world.belongings()
        call = world.new_call(has.line)
        call.peer = None
        await world.commit(has.account_id, call)
        async with world.store.begin(has.account_id) as tx:
            assert (await tx.calls.get_even_broken(call.id)).peer is None

    async def test_a_deleted_call_is_found_only_by_what_is_still_to_be_done_about_it(
        self, world: World
    ) -> None:
        has = await world.belongings()
        async with world.store.begin(has.account_id) as tx:
            call = await tx.calls.get_even_broken(has.call.id)
            call.delete(world.clock.now())
            tx.save(call)
        async with world.store.begin(has.account_id) as tx:
            assert await tx.calls.page(None, None, None, 9) == []
            found = await tx.calls.by_ref(call.ref or CarrierRef(""))
            assert found is not None
            assert (found.id, found.peer, found.is_deleted) == (call.id, None, True)
            assert [each.id for each in await tx.calls.with_carrier_record(None, 9)] == [call.id]
            assert await tx.calls.with_carrier_record(call.id, 9) == []
