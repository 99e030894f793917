"""Messages that nobody reports on: none stays on its way for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from application.inbound_messages import DeliveryReceipt
from bootstrap.worlds import InMemory
from domain.failures import FailureReason
from domain.messages import Status
from tests.support.actors import with_line
from tests.support.messaging import ref_of


async def test_a_message_that_nobody_reports_on_is_asked_for(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("outgoing")
    await world.settle()
    ref = await ref_of(ada, sent.id)
    world.carrier.messages[ref] = replace(world.carrier.messages[ref], status=Status.SENT)
    await world.advance(timedelta(minutes=2))
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.SENT
    world.carrier.messages[ref] = replace(
        world.carrier.messages[ref], status=Status.FAILED, failure=FailureReason.REJECTED
    )
    await world.advance(timedelta(minutes=4))
    failed = await world.use_cases.read_message(ada.id, sent.id)
    assert (failed.status, failed.failure) == (Status.FAILED, FailureReason.REJECTED)
    await world.advance(timedelta(minutes=2))
    assert not world.carrier.messages
    assert await world.queue.waiting() == 1, "only the next comparison of the line"


@pytest.mark.parametrize("fault", ["silence", "outage", "vanished"])
@pytest.mark.parametrize("status", [Status.QUEUED, Status.SENDING, Status.SENT])
async def test_no_message_stays_on_its_way_for_ever(world: InMemory, status: Status, fault: str) -> None:
    ada = await with_line(world)
    sent = await ada.sends("outgoing")
    await world.settle()
    ref = await ref_of(ada, sent.id)
    if status is not Status.QUEUED:
        await world.use_cases.apply_delivery_receipt(DeliveryReceipt(ada.number, ref, None, status))
    world.carrier.messages[ref] = replace(world.carrier.messages[ref], status=status)
    world.carrier.outage = fault == "outage"
    if fault == "vanished":
        world.carrier.messages.clear()
    for _ in range(25 * 12):
        await world.advance(timedelta(minutes=5))
    ended = await world.use_cases.read_message(ada.id, sent.id)
    assert (ended.status, ended.failure) == (Status.UNCONFIRMED, FailureReason.UNCONFIRMED)
    assert world.carrier.calls.count("look_up") < 20
    world.carrier.outage = False
    await world.advance(timedelta(hours=6))
    assert not world.carrier.messages, "a message that is not reported on loses its carrier copy all the same"
    await world.use_cases.apply_delivery_receipt(DeliveryReceipt(ada.number, ref, None, Status.DELIVERED))
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.DELIVERED


async def test_a_message_that_cannot_be_handed_over_is_given_up_when_it_is_too_old(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.outage = True
    sent = await ada.sends("outgoing")
    for _ in range(33):
        await world.advance(timedelta(hours=1))
    ended = await world.use_cases.read_message(ada.id, sent.id)
    assert (ended.status, ended.failure) == (Status.UNCONFIRMED, FailureReason.UNCONFIRMED)
    world.carrier.outage = False
    await world.advance(timedelta(days=1))
    assert "send" not in world.carrier.calls or not world.carrier.messages


async def test_a_message_that_was_not_sent_in_time_has_failed(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("outgoing")
    world.clock.advance(timedelta(hours=25))
    await world.settle()
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.FAILED
    assert not world.carrier.messages
