"""What lies with the carrier: deleted once it is safe with us or the person deletes it, and read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from application.carrier_copies import delete_verified
from application.inbound_messages import DeliveryReceipt
from application.ports.message_carrier import MessageAbilities, TooEarly
from bootstrap.worlds import InMemory
from domain.erasure import NotYetGone
from domain.kernel import NotFound
from domain.messages import Status
from domain.values import PhoneNumber
from tests.support.actors import STRANGER, held, with_line
from tests.support.messaging import only_message, ref_of


async def test_the_carriers_copy_goes_after_two_minutes_in_and_after_the_last_report_out(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    ref = await world.carrier.receive(STRANGER, ada.number, "incoming")
    await ada.receives("incoming", ref=ref)
    sent = await ada.sends("outgoing")
    await world.settle()
    out = await ref_of(ada, sent.id)
    await world.advance(timedelta(minutes=2))
    assert set(world.carrier.messages) == {out}
    await world.use_cases.apply_delivery_receipt(DeliveryReceipt(ada.number, out, None, Status.DELIVERED))
    await world.advance(timedelta(minutes=2))
    assert not world.carrier.messages
    assert sorted(await ada.inbox()) == ["incoming", "outgoing"]


async def test_a_carrier_that_is_not_ready_to_delete_is_asked_again(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("incoming", ref=await world.carrier.receive(STRANGER, ada.number, "incoming"))
    world.carrier.too_early = 3
    await world.advance(timedelta(minutes=2))
    assert world.carrier.messages
    for _ in range(4):
        await world.advance(timedelta(minutes=10))
    assert not world.carrier.messages


async def test_a_carrier_is_not_asked_to_delete_what_has_not_settled_with_it(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.message_abilities = replace(
        world.carrier.message_abilities, copy_settles_after=timedelta(hours=1)
    )
    sent = await ada.sends("regret")
    await world.settle()
    await world.use_cases.delete_message(ada.id, sent.id)
    await world.advance(timedelta(hours=1) - timedelta(microseconds=1))
    assert "delete_copy" not in world.carrier.calls
    await world.advance(timedelta(hours=1))
    assert not world.carrier.messages
    assert (await world.store.count_rows(ada.id))["messages"] == 0


async def test_where_the_carrier_deletes_nothing_its_copy_stays_on_record(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.message_abilities = MessageAbilities(sends_idempotent_for=timedelta(hours=1))
    await ada.receives("kept there")
    await world.advance(timedelta(hours=1))
    _, message = await only_message(ada)
    assert (await ada.keeps(message.id)).has_carrier_copy
    await world.use_cases.delete_message(ada.id, message.id)
    await world.settle()
    assert (await world.store.count_rows(ada.id))["messages"] == 0
    assert await world.queue.waiting() == 0
    assert "delete_copy" not in world.carrier.calls


async def test_a_copy_counts_as_deleted_once_it_cannot_be_looked_up(world: InMemory) -> None:
    ref = await world.carrier.receive(STRANGER, PhoneNumber("+12025550143"), "still there?")
    world.carrier.lies = True
    with pytest.raises(NotYetGone):
        await delete_verified(world.carrier, [ref], held)
    world.carrier.lies, world.carrier.too_early = False, 1
    with pytest.raises(TooEarly):
        await delete_verified(world.carrier, [ref], held)
    await delete_verified(world.carrier, [ref], held)
    assert await world.carrier.look_up(ref) is None


async def test_a_deleted_message_is_gone_at_once_and_its_row_when_the_carrier_let_go(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("regret")
    await world.settle()
    world.carrier.too_early = 1
    await world.use_cases.delete_message(ada.id, sent.id)
    with pytest.raises(NotFound):
        await world.use_cases.read_message(ada.id, sent.id)
    await world.settle()
    assert (await world.store.count_rows(ada.id))["messages"] == 1
    await world.advance(timedelta(hours=1))
    assert (await world.store.count_rows(ada.id))["messages"] == 0
    assert not world.carrier.messages
