"""Messages that go out: at most once each, and what is said of them moves them forward only."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from application.inbound_messages import DeliveryReceipt
from bootstrap.worlds import InMemory
from domain.failures import FailureReason
from domain.idempotency import IdempotencyMismatch
from domain.kernel import CarrierRef
from domain.messages import PeerOptedOut, Status
from tests.support.actors import STRANGER, with_line
from tests.support.messaging import ref_of


async def test_a_message_goes_out_and_its_reports_move_it_forward_in_any_order(world: InMemory) -> None:
    for seed in range(8):
        fresh = InMemory()
        ada = await with_line(fresh)
        sent = await ada.sends("hello")
        await fresh.settle()
        ref = await ref_of(ada, sent.id)
        reports = [Status.QUEUED, Status.SENDING, Status.SENT, Status.DELIVERED] * 5
        random.Random(seed).shuffle(reports)
        for status in reports:
            await fresh.use_cases.apply_delivery_receipt(DeliveryReceipt(ada.number, ref, None, status))
        assert (await fresh.use_cases.read_message(ada.id, sent.id)).status is Status.DELIVERED


async def test_the_same_key_sends_once_and_answers_the_same(world: InMemory) -> None:
    ada = await with_line(world)
    first = await ada.sends("hello", key="k")
    await world.settle()
    assert await ada.sends("hello", key="k") == first
    await world.settle()
    assert len(world.carrier.messages) == 1
    with pytest.raises(IdempotencyMismatch):
        await ada.sends("another", key="k")


async def test_a_key_means_nothing_in_another_account(world: InMemory) -> None:
    ada = await with_line(world, "ada", "+12025550143")
    boris = await with_line(world, "boris", "+12025550144")
    assert (await ada.sends("one", key="k")).id != (await boris.sends("two", key="k")).id


async def test_a_lost_answer_does_not_send_twice(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("hello")
    world.carrier.lose_answers = 1
    await world.settle()
    await world.advance(timedelta(minutes=1))
    assert len(world.carrier.messages) == 1
    assert (await ada.keeps(sent.id)).ref in world.carrier.messages


async def test_two_equal_messages_are_two_messages_even_when_answers_are_lost(world: InMemory) -> None:
    ada = await with_line(world)
    one, two = await ada.sends("same"), await ada.sends("same")
    world.carrier.lose_answers = 2
    for _ in range(3):
        await world.advance(timedelta(minutes=1))
    refs = {(await ada.keeps(sent.id)).ref for sent in (one, two)}
    assert refs == set(world.carrier.messages)
    assert len(refs) == 2


async def test_an_outage_delays_a_message(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.outage = True
    sent = await ada.sends("hello")
    await world.advance(timedelta(minutes=1))
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.QUEUED
    world.carrier.outage = False
    await world.advance(timedelta(hours=1))
    assert (await ada.keeps(sent.id)).ref is not None


async def test_a_redelivered_job_has_one_effect(world: InMemory) -> None:
    ada = await with_line(world)
    world.queue.lose_answers = 3
    await ada.sends("hello")
    await world.settle()
    await world.advance(timedelta(minutes=5))
    assert len(world.carrier.messages) <= 1
    assert world.carrier.calls.count("send") == 1


async def test_a_report_that_overtakes_the_answer_is_not_lost(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("hello")
    world.carrier.lose_answers = 1
    await world.settle()
    (text,) = world.carrier.messages.values()
    await world.use_cases.apply_delivery_receipt(
        DeliveryReceipt(ada.number, text.ref, sent.id, Status.DELIVERED)
    )
    message = await ada.keeps(sent.id)
    assert (message.ref, message.status) == (text.ref, Status.DELIVERED)


@pytest.mark.parametrize("known", [True, False], ids=["by its reference", "by our own id"])
async def test_a_report_that_no_sent_message_can_have_changes_nothing(
    world: InMemory, *, known: bool
) -> None:
    ada = await with_line(world)
    sent = await ada.sends("hello")
    world.carrier.lose_answers = 0 if known else 1
    await world.settle()
    before = await ada.keeps(sent.id)
    assert before.was_attempted
    assert (before.ref is not None) is known
    await world.use_cases.apply_delivery_receipt(
        DeliveryReceipt(ada.number, before.ref or CarrierRef("SM9"), sent.id, Status.RECEIVED)
    )
    assert await ada.keeps(sent.id) == before


async def test_unreachable_destinations_fail_the_message_for_good(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.unreachable.add(STRANGER)
    sent = await ada.sends("hello")
    await world.settle()
    failed = await world.use_cases.read_message(ada.id, sent.id)
    assert (failed.status, failed.failure) == (Status.FAILED, FailureReason.UNREACHABLE)


async def test_stop_is_respected_and_start_lifts_it(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("STOP")
    with pytest.raises(PeerOptedOut):
        await ada.sends("please")
    await ada.receives("start")
    await ada.sends("thanks")


async def test_an_opt_out_that_only_the_carrier_knew_of_is_remembered(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.opted_out.add((ada.number, STRANGER))
    sent = await ada.sends("hello")
    await world.settle()
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.FAILED
    with pytest.raises(PeerOptedOut):
        await ada.sends("again")


async def test_what_an_app_calls_a_message_comes_back_with_it_and_goes_with_it(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("hello", key="k", client_reference="order-1742")
    assert sent.client_reference == "order-1742"
    assert await ada.sends("hello", key="k", client_reference="order-1742") == sent
    for another in (None, "order-1743"):
        with pytest.raises(IdempotencyMismatch):
            await ada.sends("hello", key="k", client_reference=another)
    await world.settle()
    assert (await world.use_cases.read_message(ada.id, sent.id)).client_reference == "order-1742"
    assert "1742" not in str(world.carrier.messages), "it went to the carrier"
    await world.use_cases.delete_message(ada.id, sent.id)
    async with world.store.begin(ada.id) as tx:
        assert (await tx.messages.get_even_deleted(sent.id)).client_reference is None
