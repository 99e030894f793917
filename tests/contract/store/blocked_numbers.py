"""Promises about blocked numbers: each once, found by number, seen where a message is taken in or sent."""

from __future__ import annotations

import pytest

from application.ports.repositories.messages import Sending
from application.ports.store import VersionConflict
from domain.blocked_numbers import BlockedNumberId
from domain.idempotency import Operation
from domain.kernel import MessageId, NotFound
from domain.values import Peer, PhoneNumber
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

    async def test_a_message_to_be_sent_comes_with_all_that_tells_whether_it_may_be(
        self, world: World
    ) -> None:
        line = await world.line(await world.account())
        conversation = world.new_conversation(line)
        message = world.new_message(conversation)
        await world.commit(line.account_id, conversation, message)
        for blocks, blocked in ((), False), ((world.number(),), False), ((conversation.peer,), True):
            await world.commit(
                line.account_id, *(world.new_block(line.account_id, PhoneNumber(one)) for one in blocks)
            )
            async with world.store.begin(line.account_id) as tx:
                assert await tx.messages.sending(message.id) == Sending(
                    await tx.messages.get(message.id),
                    await tx.lines.get(line.id),
                    await tx.conversations.get(conversation.id),
                    blocked,
                )

    async def test_of_a_deleted_conversation_no_message_is_to_be_sent(self, world: World) -> None:
        line = await world.line(await world.account())
        conversation = world.new_conversation(line)
        message = world.new_message(conversation)
        await world.commit(line.account_id, conversation, message)
        async with world.store.begin(line.account_id) as tx:
            gone = await tx.conversations.get(conversation.id)
            gone.delete(world.clock.now())
            tx.save(gone)
        async with world.store.begin(line.account_id) as tx:
            for missing in (message.id, MessageId(world.ids.new())):
                with pytest.raises(NotFound):
                    await tx.messages.sending(missing)

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
