"""What was told of a message: each status once, when it was first heard, whatever order it came in."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest

from application.inbound_messages import DeliveryReceipt
from bootstrap.worlds import InMemory
from domain.kernel import CarrierRef
from domain.messages import Status
from tests.support.actors import with_line
from tests.support.messaging import ref_of

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("order", [*permutations([Status.SENDING, Status.SENT, Status.DELIVERED])])
async def test_each_status_is_told_once_with_the_time_it_was_first_heard(
    world: InMemory, order: tuple[Status, ...]
) -> None:
    ada = await with_line(world)
    sent = await ada.sends("hello")
    await world.settle()
    ref, heard = await ref_of(ada, sent.id), []
    for status in [*order, *order]:
        world.clock.advance(SECOND)
        await world.use_cases.apply_delivery_receipt(DeliveryReceipt(ada.number, ref, None, status))
        heard.append((status, world.clock.now()))
    assert await world.use_cases.list_receipts(ada.id, sent.id) == heard[:3]
    assert (await ada.keeps(sent.id)).status is Status.DELIVERED


async def test_of_two_ends_both_are_told_and_the_first_stands(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("hello")
    await world.settle()
    ref = await ref_of(ada, sent.id)
    for status in (Status.FAILED, Status.DELIVERED):
        world.clock.advance(SECOND)
        await world.use_cases.apply_delivery_receipt(DeliveryReceipt(ada.number, ref, None, status))
    told = await world.use_cases.list_receipts(ada.id, sent.id)
    assert [receipt.status for receipt in told] == [Status.FAILED, Status.DELIVERED]
    assert (await ada.keeps(sent.id)).status is Status.FAILED


async def test_nothing_is_told_of_what_came_in_or_was_only_queued(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("hello")
    await ada.receives("hello", ref="SM1")
    heard = (await world.use_cases.list_messages(ada.id, sent.conversation_id, None, 1)).items[0]
    for status in Status:
        await world.use_cases.apply_delivery_receipt(
            DeliveryReceipt(ada.number, CarrierRef("SM1"), heard.id, status)
        )
    for message in (sent, heard):
        assert await world.use_cases.list_receipts(ada.id, message.id) == []
