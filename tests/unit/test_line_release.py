"""A number goes back to the carrier whatever our own row says, and is gone once nothing leads to it any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from typing_extensions import override

from adapters.outbound.memory.carrier import MemoryCarrier
from application.erasure import EraseAccount
from application.erasure_step import ErasureStep
from application.line_release import CLOCK_SKEW, number_to_release, release_verified
from application.ports.jobs import ERASURE_JOB, Job, JobLease
from application.ports.numbers import NumberOrder
from bootstrap.worlds import InMemory
from domain.erasure import Erasure, NotYetGone
from domain.kernel import CarrierRef, LineId
from domain.lines import LineState, PhoneLine
from domain.values import PhoneNumber
from tests.support.actors import STRANGER, Person, held, sign_up, with_line

NUMBER, OTHER = PhoneNumber("+12025550143"), PhoneNumber("+12025550144")
NOBODYS = LineId(UUID(int=404))


class Refused(Exception):
    """The job is another worker's."""


async def lost() -> None:
    raise Refused


async def two_lines(world: InMemory) -> tuple[PhoneLine, PhoneLine]:
    ada, grace = await with_line(world, "ada", NUMBER), await with_line(world, "grace", OTHER)
    assert ada.line is not None
    assert grace.line is not None
    return ada.line, grace.line


async def test_a_number_is_released_by_its_reference(world: InMemory) -> None:
    line, other = await two_lines(world)
    with pytest.raises(Refused):
        await release_verified(world.carrier, line, lost)
    assert len(world.carrier.numbers) == 2, "it was released by a worker that had lost the job"
    assert await release_verified(world.carrier, line, held) == NUMBER
    assert list(world.carrier.numbers) == [other.ref]
    assert await release_verified(world.carrier, line, held) == NUMBER, "repeating is harmless"


async def test_of_an_altered_line_only_what_the_carrier_holds_for_it_is_released(world: InMemory) -> None:
    line, other = await two_lines(world)
    altered = replace(line, altered=True, ref=other.ref, number=other.number)
    assert await number_to_release(world.carrier, line) == NUMBER
    assert await number_to_release(world.carrier, replace(other, id=NOBODYS)) == OTHER, "its own row says so"
    assert await number_to_release(world.carrier, altered) == NUMBER
    assert await release_verified(world.carrier, altered, held) == NUMBER
    assert list(world.carrier.numbers) == [other.ref]
    assert await number_to_release(world.carrier, altered) is None
    assert await release_verified(world.carrier, altered, held) is None


async def test_an_order_whose_answer_never_came_is_looked_for(world: InMemory) -> None:
    line, other = await two_lines(world)
    unanswered = replace(line, ref=None)
    assert await release_verified(world.carrier, unanswered, held) == NUMBER
    assert list(world.carrier.numbers) == [other.ref]
    assert await release_verified(world.carrier, unanswered, held) is None, "there is no such order any more"


async def test_an_order_that_is_not_decided_holds_up_the_release(world: InMemory) -> None:
    ada = await sign_up(world)
    world.carrier.orders_wait = True
    line = (await world.use_cases.buy_line(ada.id, NUMBER, None, "key")).line
    with pytest.raises(NotYetGone):
        await release_verified(world.carrier, line, held)
    world.carrier.decide()
    assert await release_verified(world.carrier, line, held) == NUMBER
    assert not world.carrier.numbers


class Keeps(MemoryCarrier):
    """Says that it takes numbers back, keeps them, and denies it in one of two ways."""

    denies_reference = denies_order = False

    @override
    async def release(self, ref: CarrierRef, line_id: LineId) -> None: ...

    @override
    async def owns(self, ref: CarrierRef, line_id: LineId) -> bool:
        return not self.denies_reference and await super().owns(ref, line_id)

    @override
    async def find_order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        return None if self.denies_order else await super().find_order(number, line_id)


@pytest.mark.parametrize(("reference", "order"), [(False, False), (True, False), (False, True), (True, True)])
async def test_a_number_is_gone_when_neither_its_reference_nor_its_order_leads_to_it(
    world: InMemory, *, reference: bool, order: bool
) -> None:
    world.carrier = carrier = Keeps(world.clock.now)
    world.wire()
    line, other = await two_lines(world)
    carrier.denies_reference, carrier.denies_order = reference, order
    if reference and order:
        assert await release_verified(carrier, line, held) == NUMBER, "nobody could find out more"
    else:
        with pytest.raises(NotYetGone):
            await release_verified(carrier, line, held)
    carrier.refused.add((NUMBER, line.id))
    del carrier.numbers[CarrierRef(line.ref or "")]
    assert await release_verified(carrier, line, held) == NUMBER, "an order that failed is no number"
    assert list(carrier.numbers) == [other.ref]


# ------------------------------------------------------------------------------------------ what is left of the line


async def finish(world: InMemory, ada: Person) -> JobLease:
    """Have a line's release finished by a worker; return the lease it had on the job."""
    release = world.use_cases.job_handlers["finish_release"]
    lease = world.queue.take("finish_release")
    await release(ada.id, ada.line_id, lease)
    return lease


@pytest.mark.parametrize("can_list", [False, True])
@pytest.mark.parametrize("can_delete", [False, True])
async def test_what_came_too_late_for_a_line_goes_if_the_carrier_can_list_it_and_delete_it(
    world: InMemory, *, can_list: bool, can_delete: bool
) -> None:
    ada = await with_line(world)
    world.carrier.message_abilities = replace(
        world.carrier.message_abilities, can_list=can_list, can_delete_copies=can_delete
    )
    await world.carrier.receive(STRANGER, ada.number, "too late")
    released = await world.use_cases.release_line(ada.id, ada.line_id)
    assert released.release_at is not None
    world.clock.advance(released.release_at - world.clock.now())
    world.carrier.calls.clear()
    lease = await finish(world, ada)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.RELEASED
    assert not await world.queue.holds(ada.id, lease), "the job does not end with the release"
    assert not world.carrier.numbers
    assert bool(world.carrier.messages) != (can_list and can_delete)
    assert ("list_copies" in world.carrier.calls) == (can_list and can_delete)


async def test_of_a_lost_line_that_was_altered_the_carriers_own_record_says_what_is_left(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    ref = await world.carrier.receive(STRANGER, ada.number, "too late")
    row = world.store.rows(ada.id)[PhoneLine][ada.line_id]
    assert isinstance(row, PhoneLine)
    row.state, row.released_at = LineState.LOST, world.clock.now()
    row.altered, row.number = True, OTHER
    world.queue.put([Job("finish_release", ada.id, ada.line_id)])
    await finish(world, ada)
    assert ref not in world.carrier.messages


@pytest.mark.parametrize("step_skew", [timedelta(), timedelta(microseconds=1)])
async def test_what_the_carrier_lists_of_a_lease_begins_a_minute_before_it_for_its_clock_may_be_wrong(
    world: InMemory, step_skew: timedelta
) -> None:
    ada = await with_line(world)
    assert ada.line is not None
    ref = await world.carrier.receive(STRANGER, ada.number, "on the brink")
    at = ada.line.created_at - CLOCK_SKEW - step_skew
    world.carrier.messages[ref] = replace(world.carrier.messages[ref], at=at)
    erasing = Erasure(account_id=ada.id, began_at=world.clock.now())
    await numbers_step(world).run(erasing, held)
    assert (ref in world.carrier.messages) == bool(step_skew), "what came before the lease is somebody else's"


async def test_of_an_altered_line_that_the_carrier_holds_nothing_for_nothing_is_asked(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    row = world.store.rows(ada.id)[PhoneLine][ada.line_id]
    row.altered = True
    world.carrier.numbers.clear()
    world.carrier.calls.clear()
    await numbers_step(world).run(Erasure(account_id=ada.id, began_at=world.clock.now()), held)
    assert set(world.carrier.calls) == {"held_for"}


@pytest.mark.parametrize("can_list", [False, True])
@pytest.mark.parametrize("can_delete", [False, True])
async def test_an_erasure_says_of_how_many_numbers_the_carrier_lists_nothing(
    world: InMemory, *, can_list: bool, can_delete: bool
) -> None:
    ada = await with_line(world)
    world.carrier.message_abilities = replace(
        world.carrier.message_abilities, can_list=can_list, can_delete_copies=can_delete
    )
    await world.carrier.receive(STRANGER, ada.number, "never delivered")
    counts = await numbers_step(world).run(Erasure(account_id=ada.id, began_at=world.clock.now()), held)
    assert counts == ({} if can_list else {"numbers_unlisted": 1})
    assert not world.carrier.numbers
    assert bool(world.carrier.messages) != (can_list and can_delete)
    assert ("list_copies" in world.carrier.calls) == (can_list and can_delete)


def numbers_step(world: InMemory) -> ErasureStep:
    eraser = world.use_cases.job_handlers[ERASURE_JOB]
    assert isinstance(eraser, EraseAccount)
    return next(step for step in eraser.steps if step.name == "numbers")
