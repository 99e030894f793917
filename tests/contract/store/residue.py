"""Promises about the residue lists of erasures."""

from __future__ import annotations

from dataclasses import replace

from domain.erasure import Erasure
from domain.kernel import AccountId, CarrierRef, LineId
from domain.residue import Residue
from tests.contract.store.world import INSTANT, World


async def listed(world: World, account_id: AccountId, page: int = 100) -> list[Residue]:
    found: list[Residue] = []
    while more := await world.store.residue(account_id, found[-1] if found else None, page):
        assert len(more) <= page
        found += more
    return found


class ResiduePromises:
    async def test_entries_are_kept_as_they_were_put_there_page_by_page(self, world: World) -> None:
        account_id, line_id = AccountId(world.ids.new()), LineId(world.ids.new())
        entries = [Residue.message(account_id, CarrierRef(f"SM{n}")) for n in range(5)]
        entries += [Residue.number(account_id, CarrierRef(f"SM{n}"), line_id) for n in range(3)]
        entries[1] = entries[1].missed(world.clock.now())
        entries[6] = entries[6].missed(world.clock.now()).settle(world.clock.now(), INSTANT * 0)
        await world.store.add_residue(entries)
        for page in (1, 3, 100):
            found = await listed(world, account_id, page)
            assert len(found) == len(entries)
            assert {(e.holding, e.ref): e for e in found} == {(e.holding, e.ref): e for e in entries}

    async def test_adding_leaves_an_entry_as_it_is_and_saving_does_not(self, world: World) -> None:
        held = Residue.message(AccountId(world.ids.new()), CarrierRef("SM1"))
        gone = held.missed(world.clock.now())
        for _ in range(2):
            await world.store.save_residue([gone])
        await world.store.add_residue([held])
        assert await listed(world, held.account_id) == [gone]
        await world.store.save_residue([held])
        assert await listed(world, held.account_id) == [held]
        await world.store.add_residue([])
        await world.store.save_residue([])

    async def test_a_list_is_one_accounts_own_and_goes_with_its_erasure(self, world: World) -> None:
        mine = Residue.message(await world.account(), CarrierRef("SM1"))
        theirs = replace(mine, account_id=await world.account())
        await world.store.add_residue([mine])
        await world.store.add_residue([theirs])
        await world.store.checkpoint(Erasure(account_id=mine.account_id, began_at=world.clock.now()))
        await world.keyring.destroy(mine.account_id)
        await world.store.delete_rows(mine.account_id)
        assert sum((await world.store.count_rows(mine.account_id)).values()) == 0, (
            "it is no row of the account"
        )
        assert await listed(world, mine.account_id) == [mine], "it outlives rows and keys"
        for _ in range(2):
            await world.store.forget_erasure(mine.account_id)
            assert await listed(world, mine.account_id) == []
        assert await listed(world, theirs.account_id) == [theirs]
