"""Promises about voicemail: newest first, by line or all, and none that was deleted."""

from __future__ import annotations

import pytest

from domain.kernel import CarrierRef, NotFound
from domain.voicemail import VoicemailId
from tests.contract.store.world import World


class VoicemailPromises:
    async def test_voicemail_comes_newest_first_by_line_and_in_pages(self, world: World) -> None:
        account_id = await world.account()
        one, two = await world.line(account_id), await world.line(account_id)
        left = [world.new_voicemail(line) for line in (one, two, one, two, one)]
        await world.commit(account_id, *left)
        async with world.store.begin(account_id) as tx:
            assert [v.id for v in await tx.voicemails.page(None, None, 9)] == [v.id for v in reversed(left)]
            assert [v.id for v in await tx.voicemails.page(one.id, None, 2)] == [left[4].id, left[2].id]
            assert [v.id for v in await tx.voicemails.page(one.id, left[2].id, 2)] == [left[0].id]
            assert [v.id for v in await tx.voicemails.page(None, left[1].id, 9)] == [left[0].id]

    async def test_a_deleted_voicemail_is_found_by_whoever_asks_for_it_so_only(self, world: World) -> None:
        account_id = await world.account()
        voicemail = world.new_voicemail(await world.line(account_id))
        voicemail.delete(world.clock.now())
        await world.commit(account_id, voicemail)
        async with world.store.begin(account_id) as tx:
            with pytest.raises(NotFound):
                await tx.voicemails.get(voicemail.id)
            assert await tx.voicemails.page(None, None, 9) == []
            deleted = await tx.voicemails.get_even_deleted(voicemail.id)
            assert (deleted.caller, deleted.digest, deleted.transcript) == (
                voicemail.caller,
                voicemail.digest,
                voicemail.transcript,
            )
            assert (await tx.voicemails.by_ref(voicemail.ref)) == deleted
            assert await tx.voicemails.by_ref(CarrierRef("RE0")) is None

    async def test_what_the_carrier_may_hold_is_gone_through_by_id(self, world: World) -> None:
        account_id = await world.account()
        line = await world.line(account_id)
        left = [world.new_voicemail(line) for _ in range(5)]
        left[1].carrier_copy_deleted(world.clock.now())
        left[2].delete(world.clock.now())
        await world.commit(account_id, *left)
        found, after = list[VoicemailId](), None
        async with world.store.begin(account_id) as tx:
            while page := await tx.voicemails.with_carrier_copy(after, 2):
                found += [voicemail.id for voicemail in page]
                after = page[-1].id
        assert found == [left[at].id for at in (0, 2, 3, 4)]
