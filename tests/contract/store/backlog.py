"""Promises about what is still to be done, over all accounts."""

from __future__ import annotations

from datetime import timedelta

from application.ports.backlog import HORIZON, OpenErasures
from application.ports.jobs import Again, LeasedJob, Outcome
from domain.accounts import AccountState
from domain.erasure import Erasure
from domain.kernel import AccountId, CarrierRef
from domain.residue import Holding, Residue
from tests.contract.store.jobs import send_one
from tests.contract.store.world import INSTANT, World

MINUTE = timedelta(minutes=1)
LAG = timedelta(seconds=30)
"""What a machine may take while a test runs."""


class BacklogPromises:
    async def test_nothing_is_open_in_an_empty_store(self, world: World) -> None:
        assert list(await world.backlog.work()) == []
        assert await world.backlog.longest_due(world.clock.now(), world.clock.now()) is None
        assert list(await world.backlog.erasures()) == []
        assert dict(await world.backlog.held()) == {}

    async def test_jobs_are_counted_by_name_and_by_whether_they_are_due(self, world: World) -> None:
        for _ in range(2):
            await send_one(world)
        (work,) = await world.backlog.work()
        assert (work.job, work.due, work.later) == ("send_message", 2, 0)
        assert timedelta() <= work.late <= LAG
        await world.queue.shift(MINUTE)
        (work,) = await world.backlog.work()
        assert MINUTE <= work.late <= MINUTE + LAG, "for how long it has been due is not told"

    async def test_jobs_that_failed_are_counted_by_code(self, world: World) -> None:
        async def again(leased: LeasedJob) -> Outcome:
            return Again(MINUTE, "carrier_unavailable")

        assert dict(await world.backlog.failing()) == {}
        for _ in range(2):
            await send_one(world)
        await world.work(again, deliveries=2, left=2)
        await send_one(world)
        assert dict(await world.backlog.failing()) == {"carrier_unavailable": 2}

    async def test_what_waits_for_its_time_is_not_due_and_what_is_far_off_is_not_counted(
        self, world: World
    ) -> None:
        async def again(_leased: LeasedJob) -> Outcome:
            return Again(MINUTE, "later")

        await send_one(world)
        await world.work(again, left=1)
        (work,) = await world.backlog.work()
        assert (work.due, work.later, work.late) == (0, 1, timedelta())
        await world.queue.shift(-HORIZON)
        assert list(await world.backlog.work()) == []

    async def test_the_account_that_is_due_longest_decides(self, world: World) -> None:
        now = world.clock.now()
        for days in (1, 3, 2):
            await world.account(state=AccountState.PENDING_DELETION, erase_at=now - timedelta(days=days))
        await world.account(state=AccountState.PENDING_DELETION, erase_at=now + INSTANT)
        assert await world.backlog.longest_due(now, now - timedelta(days=9)) == timedelta(days=3)
        unverified = await world.account(state=AccountState.UNVERIFIED)
        async with world.store.begin(unverified) as tx:
            since = (await tx.accounts.get()).created_at
        assert await world.backlog.longest_due(now, since - INSTANT) == timedelta(days=3)
        assert await world.backlog.longest_due(now, since + timedelta(days=4)) == timedelta(days=4)

    async def test_erasures_are_counted_by_how_far_they_have_come(self, world: World) -> None:
        now = world.clock.now()
        for done, minutes in ((None, 1), ("numbers", 2), ("numbers", 3)):
            account_id = await world.account()
            await world.store.checkpoint(
                Erasure(account_id=account_id, began_at=now - minutes * MINUTE, done=done)
            )
        assert set(await world.backlog.erasures()) == {
            OpenErasures(None, 1, now - MINUTE), OpenErasures("numbers", 2, now - 3 * MINUTE),
        }  # fmt: skip

    async def test_what_providers_hold_still_is_counted_by_kind(self, world: World) -> None:
        account_id = AccountId(world.ids.new())
        entries = [Residue.message(account_id, CarrierRef(f"SM{n}")) for n in range(3)]
        entries += [Residue.recording(account_id, CarrierRef("RE1"))]
        entries[0] = entries[0].missed(world.clock.now())
        await world.store.add_residue(entries)
        assert dict(await world.backlog.held()) == {Holding.MESSAGE: 2, Holding.RECORDING: 1}
