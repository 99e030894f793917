"""Promises about snapshots: one moment, however long it is read and whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from application.inventory import INVENTORY
from application.ports.keyring import KeyGone
from application.ports.repositories.exports import Records
from application.ports.store import StoreUnavailable
from domain.kernel import AccountId
from domain.lines import PhoneLine
from domain.messages import Conversation, Message
from tests.contract.store.world import World

Contents = dict[str, list[dict[str, Any]]]


async def nothing() -> None:
    """Happen."""


async def read_through(
    records: Records, meanwhile: Callable[[], Awaitable[None]] = nothing, size: int = 1
) -> Contents:
    """Read every record, a few to a page, and let something happen after each page."""
    found: Contents = {}
    for stored in INVENTORY:
        rows = found[stored.name] = []
        while page := await records.page(stored, rows[-1]["id"] if rows else None, size):
            rows += page
            assert len(rows) < 500, "what comes meanwhile shows"
            await meanwhile()
    return found


def ids(found: Contents, kind: type[Any], field: str = "id") -> set[Any]:
    """Return what a field holds in every record of a kind."""
    (stored,) = (each for each in INVENTORY if each.of is kind)
    return {row[field] for row in found[stored.name]}


class SnapshotPromises:
    async def test_what_is_committed_later_never_shows(self, world: World) -> None:
        has = await world.belongings()
        account_id = has.account_id

        async def something() -> None:
            line = world.new_line(account_id)
            conversation = world.new_conversation(line)
            await world.commit(account_id, line, conversation, world.new_message(conversation))
            await world.commit(account_id, world.new_session(account_id))
            await world.relabel(has.line, str(world.ids.random_id())[:20])

        async with world.store.snapshot(account_id) as before:
            once = await read_through(before)
        async with world.store.snapshot(account_id) as moment:
            await something()
            assert await read_through(moment, something) == once
            assert (await moment.count())["messages"] == len(once["messages"]), "counted as of then, too"
        async with world.store.snapshot(account_id) as after:
            assert len((await read_through(after))["messages"]) > len(once["messages"])

    async def test_what_is_deleted_later_is_still_there(self, world: World) -> None:
        has = await world.belongings()
        async with world.store.snapshot(has.account_id) as moment:
            await world.store.delete_rows(has.account_id)
            found = await read_through(moment)
        assert ids(found, Message) == {has.message.id, has.remnant.id}

    async def test_whatever_a_record_names_is_in_it_under_constant_arrivals(self, world: World) -> None:
        account_id = await world.account()

        async def arrivals() -> None:
            for _ in range(50):
                await asyncio.sleep(0.002)
                line = world.new_line(account_id)
                await world.commit(account_id, line)
                conversation = world.new_conversation(line)
                await world.commit(account_id, conversation, world.new_message(conversation))

        arriving = [asyncio.create_task(arrivals()) for _ in range(3)]
        try:
            for _ in range(5):
                await asyncio.sleep(0.02)
                async with world.store.snapshot(account_id) as moment:
                    found = await read_through(moment, lambda: asyncio.sleep(0.001), 5)
                assert ids(found, Message, "conversation_id") <= ids(found, Conversation)
                assert ids(found, Conversation, "line_id") <= ids(found, PhoneLine)
                assert ids(found, Message), "something had arrived"
        finally:
            for task in arriving:
                task.cancel()
            await asyncio.gather(*arriving, return_exceptions=True)

    async def test_it_holds_one_account(self, world: World) -> None:
        one, other = await world.belongings(), await world.belongings()
        async with world.store.snapshot(one.account_id) as moment:
            found = await read_through(moment)
        mine = {row["account_id"] for rows in found.values() for row in rows if "account_id" in row}
        assert mine == {one.account_id}
        assert other.message.id not in ids(found, Message)

    async def test_it_needs_the_key_and_the_store(self, world: World) -> None:
        account_id = await world.account()
        with pytest.raises(KeyGone):
            await self._count(world, AccountId(world.ids.random_id()))
        await world.strike()
        with pytest.raises(StoreUnavailable):
            await self._count(world, account_id)

    async def _count(self, world: World, account_id: AccountId) -> dict[str, int]:
        async with world.store.snapshot(account_id) as moment:
            return await moment.count()
