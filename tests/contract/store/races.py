"""Promises about two at once: whoever comes second is told, and leaves nothing behind."""

# ruff: noqa: PT012 - the statement that raises is the end of the unit of work

from __future__ import annotations

import asyncio

import pytest

from application.ports.store import Tx, VersionConflict
from domain.kernel import NotFound
from domain.lines import LineState
from domain.values import Label
from tests.contract.store.commits import assert_same
from tests.contract.store.world import World


class RacePromises:
    async def test_saving_what_did_not_change_writes_nothing_but_relies_on_it(self, world: World) -> None:
        line = await world.line(await world.account())
        async with world.store.begin(line.account_id) as tx:
            tx.save(await tx.lines.get(line.id))
        assert (await world.read_line(line)).version == 1
        with pytest.raises(VersionConflict):
            async with world.store.begin(line.account_id) as tx:
                tx.save(await tx.lines.get(line.id))
                await world.relabel(line, "changed")

    async def test_the_loser_of_two_writers_is_told_and_nothing_of_it_is_kept(self, world: World) -> None:
        account_id = await world.account()
        line, fresh = await world.line(account_id), world.ordered_line(account_id)
        with pytest.raises(VersionConflict):
            async with world.store.begin(account_id) as slow:
                mine = await slow.lines.get(line.id)
                await world.relabel(line, "winner")
                before = await world.traces(account_id)
                mine.relabel(Label("loser"))
                mine.release(world.clock.now(), world.clock.now())
                slow.save(mine)
                slow.save(fresh)
        assert await world.traces(account_id) == before
        found = await world.read_line(line)
        assert (found.label, found.state) == ("winner", LineState.ACTIVE)

    async def test_of_many_writers_at_the_same_moment_each_counts_or_is_told(self, world: World) -> None:
        account_id = await world.account()
        export = world.new_export(account_id)
        await world.commit(account_id, export)

        async def one_more() -> None:
            async with world.store.begin(account_id) as tx:
                mine = await tx.exports.get(export.id)
                mine.progress(1, 0)
                tx.save(mine)

        ends = await asyncio.gather(*(one_more() for _ in range(8)), return_exceptions=True)
        assert {type(end) for end in ends} <= {type(None), VersionConflict}
        async with world.store.begin(account_id) as tx:
            found = await tx.exports.get(export.id)
        assert found.rows_done == ends.count(None) >= 1

    async def test_an_update_that_lost_its_race_is_made_again_on_fresh_copies(self, world: World) -> None:
        account_id = await world.account()
        export = world.new_export(account_id)
        seen: list[int] = []
        await world.commit(account_id, export)

        async def one_more(tx: Tx) -> int:
            mine = await tx.exports.get(export.id)
            if not seen:
                seen.append(mine.rows_done)
                await world.store.update(account_id, one_more)
            mine.progress(1, 0)
            tx.save(mine)
            return mine.rows_done

        assert await world.store.update(account_id, one_more) == 2
        async with world.store.begin(account_id) as tx:
            found = await tx.exports.get(export.id)
        assert (found.rows_done, found.version, seen) == (2, 3, [0])

    async def test_writers_of_different_things_do_not_disturb_each_other(self, world: World) -> None:
        account_id = await world.account()
        one, two = await world.line(account_id), await world.line(account_id)
        async with world.store.begin(account_id) as slow:
            mine = await slow.lines.get(one.id)
            await world.relabel(two, "two")
            mine.relabel(Label("one"))
            slow.save(mine)
        assert ((await world.read_line(one)).label, (await world.read_line(two)).label) == ("one", "two")

    async def test_what_was_relied_on_must_not_have_changed(self, world: World) -> None:
        account_id = await world.account()
        line = await world.line(account_id)
        with pytest.raises(VersionConflict):
            async with world.store.begin(account_id) as tx:
                tx.require_unchanged(await tx.lines.get(line.id))
                await world.relabel(line, "changed")
                before = await world.traces(account_id)
                tx.save(world.ordered_line(account_id))
        assert await world.traces(account_id) == before
        fresh = world.new_line(account_id)
        async with world.store.begin(account_id) as tx:
            tx.require_unchanged(await tx.lines.get(line.id))
            tx.save(fresh)
        assert_same(await world.read_line(fresh), fresh)
        assert (await world.read_line(line)).version == 2, "relying on a thing does not write it"

    async def test_what_was_removed_is_gone_and_cannot_be_written_again(self, world: World) -> None:
        account_id = await world.account()
        line = await world.line(account_id)
        with pytest.raises(VersionConflict):
            async with world.store.begin(account_id) as late:
                mine = await late.lines.get(line.id)
                async with world.store.begin(account_id) as tx:
                    tx.remove(await tx.lines.get(line.id))
                mine.relabel(Label("too late"))
                late.save(mine)
        with pytest.raises(NotFound):
            await world.read_line(line)

    async def test_removing_what_is_already_gone_is_stale(self, world: World) -> None:
        account_id = await world.account()
        line = await world.line(account_id)
        with pytest.raises(VersionConflict):
            async with world.store.begin(account_id) as late:
                mine = await late.lines.get(line.id)
                async with world.store.begin(account_id) as tx:
                    tx.remove(await tx.lines.get(line.id))
                before = await world.traces(account_id)
                late.remove(mine)
                late.save(world.ordered_line(account_id))
        assert await world.traces(account_id) == before
