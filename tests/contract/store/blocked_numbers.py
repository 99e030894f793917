"""Promises about blocked numbers: each once, found by number, seen where a message is taken in or sent."""

from __future__ import annotations

import pytest

from application.ports.store import VersionConflict
from domain.blocked_numbers import BlockedNumberId
from domain.idempotency import Operation
from domain.values import Peer
from tests.contract.store.world import World


class BlockedNumberPromises:
    async def test_a_number_is_blocked_once_in_an_account_and_in_no_other(self, world: World) -> None:
        one, two = await world.account(), await world.account()
        number = world.number()
        await world.commit(one, world.new_block(one, number))
        with pytest.raises(VersionConflict):
            await world.commit(one, world.new_block(one, number))
        async with world.store.begin(two) as tx:
            assert await tx.blocked_numbers.find(number) is None
        async with world.store.begin(one) as tx:
            blocked = await tx.blocked_numbers.find(number)
            assert blocked is not None
            assert blocked.number == number
            assert await tx.blocked_numbers.count() == 1
            tx.remove(blocked)
        await world.commit(one, world.new_block(one, number))

    async def test_a_messages_context_says_whether_its_peer_is_blocked(self, world: World) -> None:
        has = await world.belongings()
        async with world.store.begin(has.account_id) as tx:
            for peer, blocked in (
                (Peer(has.blocked.number), True), (has.conversation.peer, False), (Peer("BANK"), False),
            ):  # fmt: skip
                context = await tx.conversations.context(has.line.id, peer, Operation("another"))
                assert context.blocked is blocked

    async def test_blocked_numbers_come_in_pages_newest_first(self, world: World) -> None:
        account_id = await world.account()
        made = [world.new_block(account_id) for _ in range(5)]
        await world.commit(account_id, *made)
        for limit in (1, 2, 9):
            seen: list[BlockedNumberId] = []
            async with world.store.begin(account_id) as tx:
                while page := await tx.blocked_numbers.page(seen[-1] if seen else None, limit):
                    seen += [blocked.id for blocked in page]
            assert seen == [blocked.id for blocked in reversed(made)]
