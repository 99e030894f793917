"""What a carrier says it deleted counts only when it is read back: while an account lives, and when it is erased."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.outbound.memory.carrier import MemoryCarrier
from bootstrap.worlds import InMemory
from domain.kernel import CarrierRef, NotFound
from domain.lines import LineState
from tests.support.actors import STRANGER, Person, with_line

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


async def heard(world: InMemory) -> tuple[Person, CarrierRef]:
    """Make a person with one message, of which the carrier has a copy."""
    ada = await with_line(world)
    ref = await world.carrier.receive(STRANGER, ada.number, "heard")
    await ada.texted("heard", ref=ref)
    return ada, ref


async def test_a_copy_that_the_carrier_only_says_it_deleted_is_asked_for_until_it_is_gone(
    world: InMemory,
) -> None:
    ada, ref = await heard(world)
    world.carrier.lies = True
    for _ in range(3):
        await world.advance(HOUR)
    async with world.store.begin(ada.id) as tx:
        message = await tx.messages.by_ref(ref)
    assert message is not None
    assert message.has_carrier_copy, "believed without reading it back"
    world.carrier.lies = False
    await world.advance(HOUR)
    assert ref not in world.carrier.messages


async def test_a_deleted_message_leaves_its_reference_with_us_until_the_copy_is_gone(world: InMemory) -> None:
    ada, ref = await heard(world)
    async with world.store.begin(ada.id) as tx:
        message = await tx.messages.by_ref(ref)
    assert message is not None
    world.carrier.lies = True
    await world.use_cases.delete_message(ada.id, message.id)
    for _ in range(3):
        await world.advance(HOUR)
    assert (await world.store.count_rows(ada.id))["messages"] == 1
    with pytest.raises(NotFound):
        await world.use_cases.read_message(ada.id, message.id)
    world.carrier.lies = False
    await world.advance(HOUR)
    assert not world.carrier.messages
    assert (await world.store.count_rows(ada.id))["messages"] == 0


class KeepsCopies(MemoryCarrier):
    """Gives numbers back, and only says that it deletes messages."""

    async def delete_copy(self, ref: CarrierRef) -> None:
        self.hear("delete_copy")


async def test_a_line_is_not_released_while_a_message_for_its_number_is_still_listed(world: InMemory) -> None:
    carrier: Any = KeepsCopies(world.clock.now)
    world.carrier = carrier
    world.wire()
    ada = await with_line(world)
    await world.carrier.receive(STRANGER, ada.number, "never delivered")
    await world.use_cases.release_line(ada.id, ada.line_id)
    await world.advance(HOUR)
    assert not world.carrier.numbers
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.RELEASING
    world.carrier.messages.clear()
    await world.advance(HOUR)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.RELEASED
