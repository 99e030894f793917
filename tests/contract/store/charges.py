"""Promises about what a commit takes of a limit: with it or not at all, once, and never more than there is."""

# ruff: noqa: PT012 - the statement that raises is the end of the unit of work

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from application.ports.limits import Charge
from application.ports.store import Tx
from domain.kernel import AccountId
from domain.limits import Limit, Limited
from domain.values import Label
from tests.contract.store.world import World

SIX = Limit(name="six", most=10, within=timedelta(hours=1), at_once=6)


class ChargePromises:
    def charge(self, world: World, account_id: AccountId, cost: int = 1) -> Charge:
        return Charge(
            limits=world.limits,
            limit=SIX,
            of=str(account_id),
            at=world.clock.now(),
            cost=cost,
            refusal=Limited,
        )

    async def left(self, world: World, account_id: AccountId) -> int:
        """Take one more, and tell how many there were before."""
        taking = await world.limits.take(SIX, str(account_id), world.clock.now())
        return 0 if taking.wait is not None else taking.left + 1

    async def test_what_is_not_left_is_refused_and_nothing_of_the_commit_is_kept(self, world: World) -> None:
        line = await world.line(await world.account())
        await self.taken_with_a_line(world, self.charge(world, line.account_id, 4), line.account_id)
        before = await world.traces(line.account_id)
        for cost in (3, 7):
            with pytest.raises(Limited) as refused:
                async with world.store.begin(line.account_id) as tx:
                    mine = await tx.lines.get(line.id)
                    mine.relabel(Label("never"))
                    tx.save(mine)
                    tx.save(world.ordered_line(line.account_id))
                    tx.take(self.charge(world, line.account_id, cost))
            assert (refused.value.limit, refused.value.retry_after) == (SIX, SIX.every * (cost - 2))
        assert await world.traces(line.account_id) == before
        assert (await world.read_line(line)).label == "Work"
        assert await self.left(world, line.account_id) == 2

    async def taken_with_a_line(self, world: World, charge: Charge, account_id: AccountId) -> None:
        async with world.store.begin(account_id) as tx:
            tx.save(world.new_line(account_id))
            tx.take(charge)

    async def test_of_many_who_take_at_the_same_moment_as_many_commit_as_there_is(self, world: World) -> None:
        account_id = await world.account()
        asked = (
            self.taken_with_a_line(world, self.charge(world, account_id, 2), account_id) for _ in range(12)
        )
        ends = Counter(type(end) for end in await asyncio.gather(*asked, return_exceptions=True))
        assert ends == {type(None): 3, Limited: 9}
        assert (await world.store.count_rows(account_id))["phone_lines"] == 3

    async def test_a_lost_race_takes_once_and_what_fails_takes_nothing(self, world: World) -> None:
        line = await world.line(await world.account())
        charge, tries = self.charge(world, line.account_id, 2), 0

        async def change(tx: Tx) -> None:
            nonlocal tries
            tries += 1
            mine = await tx.lines.get(line.id)
            if tries == 1:
                await world.relabel(line, "winner")
            mine.relabel(Label("later"))
            tx.save(mine)
            tx.take(charge)

        await world.store.update(line.account_id, change)
        assert (tries, (await world.read_line(line)).label) == (2, "later")
        with pytest.raises(LookupError):
            async with world.store.begin(line.account_id) as tx:
                tx.take(self.charge(world, line.account_id))
                raise LookupError
        assert await self.left(world, line.account_id) == 4
