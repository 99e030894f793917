"""Promises about calls: found by the carrier's reference, listed by line and by peer, gone from every list at once."""

from __future__ import annotations

import pytest

from application.inbound_calls import call_taken
from domain.blocked_numbers import BlockedNumber, BlockedNumberId
from domain.kernel import CallId, CarrierRef, LineId, NotFound
from domain.values import Peer, PhoneNumber
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

    async def test_all_that_a_call_depends_on_is_read_in_one_look(self, world: World) -> None:
        has, caller = await world.belongings(), Peer(world.number())
        new, taken = CarrierRef("CA-new"), call_taken(CarrierRef("CA-new"))
        async with world.store.begin(has.account_id) as tx:
            found = await tx.calls.context(has.line.id, new, caller, taken)
            assert (found.line.id, found.account.id) == (has.line.id, has.account_id)
            assert (found.call, found.earlier, found.blocked) == (None, None, False)
            known = await tx.calls.context(has.line.id, has.call.ref or new, None, taken)
            assert known.call is not None
            assert (known.call.id, known.call.peer) == (has.call.id, has.call.peer)
            with pytest.raises(NotFound):
                await tx.calls.context(LineId(world.ids.new()), new, caller, taken)
            tx.never_again(taken)
            blocked = BlockedNumber(
                account_id=has.account_id, id=BlockedNumberId(world.ids.new()), number=PhoneNumber(caller),
                blocked_at=world.clock.now(),
            )  # fmt: skip
            tx.save(blocked)
        async with world.store.begin(has.account_id) as tx:
            found = await tx.calls.context(has.line.id, new, caller, taken)
            assert found.earlier is not None
            assert found.blocked
            assert not (await tx.calls.context(has.line.id, new, None, taken)).blocked
