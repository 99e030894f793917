"""Promises about erasing an account: everything is counted and deleted, nothing joins it later, zero at the end."""

# ruff: noqa: PT012 - the statement that raises is the end of the unit of work

from __future__ import annotations

import pytest

from application.inventory import INVENTORY
from application.ports.jobs import ERASURE_JOB, Job
from application.ports.store import VersionConflict
from domain.erasure import Erasure
from domain.kernel import (
    AccountId,
)
from tests.contract.store.world import World


class ErasurePromises:
    async def test_every_row_is_counted_then_deleted_then_zero_without_a_key(self, world: World) -> None:
        has = await world.belongings()
        async with world.store.begin(has.account_id) as tx:
            count_records = await tx.records.count()
        await world.keyring.destroy(has.account_id)
        counted = await world.store.count_rows(has.account_id)
        assert {stored.name: counted[stored.name] for stored in INVENTORY} == count_records
        assert counted["jobs"] == 4
        assert await world.store.delete_rows(has.account_id) == counted
        assert await world.store.count_rows(has.account_id) == dict.fromkeys(counted, 0)
        assert await world.queue.waiting() == 0

    async def test_erasing_one_account_leaves_the_others_alone(self, world: World) -> None:
        gone, stays = await world.belongings(), await world.belongings()
        before = await world.store.count_rows(stays.account_id)
        await world.store.delete_rows(gone.account_id)
        assert await world.store.count_rows(stays.account_id) == before
        assert await world.queue.waiting() == 4
        assert await world.directory.line(stays.line.number) == (stays.account_id, stays.line.id)
        async with world.store.begin(stays.account_id) as tx:
            assert (await tx.messages.get(stays.message.id)).body == stays.message.body

    async def test_the_job_that_erases_an_account_outlives_its_rows(self, world: World) -> None:
        has = await world.belongings()
        async with world.store.begin(has.account_id) as tx:
            tx.queue(Job(ERASURE_JOB, has.account_id, has.account_id))
        assert (await world.store.count_rows(has.account_id))["jobs"] == 4
        await world.store.delete_rows(has.account_id)
        assert sum((await world.store.count_rows(has.account_id)).values()) == 0
        assert await world.work() == [Job(ERASURE_JOB, has.account_id, has.account_id)]

    async def test_deleting_rows_again_is_harmless(self, world: World) -> None:
        has = await world.belongings()
        await world.store.delete_rows(has.account_id)
        assert sum((await world.store.delete_rows(has.account_id)).values()) == 0
        nobody = AccountId(world.ids.new())
        assert sum((await world.store.delete_rows(nobody)).values()) == 0

    async def test_a_commit_that_comes_too_late_adds_nothing_to_an_erased_account(self, world: World) -> None:
        has = await world.belongings()
        for late in (world.new_session(has.account_id), world.ordered_line(has.account_id)):
            with pytest.raises(VersionConflict):
                async with world.store.begin(has.account_id) as tx:
                    tx.save(late)
                    await world.store.delete_rows(has.account_id)
        with pytest.raises(VersionConflict):
            async with world.store.begin(has.account_id) as tx:
                tx.queue(Job("mail_already_registered", has.account_id, has.account_id))
        assert sum((await world.store.count_rows(has.account_id)).values()) == 0
        assert await world.queue.waiting() == 0

    async def test_what_was_erased_leaves_its_number_and_address_free(self, world: World) -> None:
        account_id = await world.account(email="noa@example.com")
        line = await world.line(account_id)
        await world.store.delete_rows(account_id)
        again = await world.account(email="noa@example.com")
        heir = await world.line(again, number=line.number)
        assert await world.directory.account_by_email("noa@example.com") == again
        assert await world.directory.line(line.number, fresh=True) == (again, heir.id)

    async def test_a_checkpoint_is_remembered_until_the_erasure_is_forgotten(self, world: World) -> None:
        has, other = await world.belongings(), await world.account()
        began = Erasure(account_id=has.account_id, began_at=world.clock.now())
        assert await world.store.erasure(has.account_id) is None
        later = began.finish("rows", {"messages_deleted": 1, "rows_deleted": 3}, world.clock.now())
        for checkpoint in (began, later, later):
            await world.store.checkpoint(checkpoint)
            assert await world.store.erasure(has.account_id) == checkpoint
        assert await world.store.erasure(other) is None
        await world.store.delete_rows(has.account_id)
        assert await world.store.erasure(has.account_id) == later, (
            "deleting rows does not lose the saga's place"
        )
        assert sum((await world.store.count_rows(has.account_id)).values()) == 0, (
            "nor does it count as a row left"
        )
        for _ in range(2):
            await world.store.forget_erasure(has.account_id)
            assert await world.store.erasure(has.account_id) is None
