"""A line that is given up: its number is kept for a while, can be taken back, and then goes back to the carrier."""

from __future__ import annotations

from datetime import timedelta

import pytest

from application.ports.numbers import NumberOrder
from bootstrap.worlds import InMemory
from domain.accounts import PendingDeletion
from domain.kernel import LineId
from domain.lines import LineNotActive, LineState, NumberTaken
from domain.values import PhoneNumber
from tests.support.actors import PASSWORD, sign_up, with_line

NUMBER = PhoneNumber("+12025550143")
KEPT, MOMENT = timedelta(days=7), timedelta(microseconds=1)


async def test_a_line_that_is_given_up_refuses_messages_at_once_and_its_number_goes_back_later(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    released = await world.use_cases.release_line(ada.id, ada.line_id)
    assert released.state is LineState.PENDING_RELEASE
    assert released.release_at == world.clock.now() + KEPT
    await ada.receives("too late")
    assert await ada.inbox() == []
    with pytest.raises(LineNotActive):
        await ada.sends("too late")
    await world.advance(KEPT - MOMENT)
    await world.use_cases.release_line(ada.id, ada.line_id)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.PENDING_RELEASE
    assert world.carrier.numbers
    await world.advance(MOMENT)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.RELEASED
    assert not world.carrier.numbers
    await world.use_cases.release_line(ada.id, ada.line_id)


async def test_a_line_that_is_given_up_can_be_taken_back_until_its_number_goes_back(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.release_line(ada.id, ada.line_id)
    await world.advance(KEPT - MOMENT)
    back = await world.use_cases.cancel_release(ada.id, ada.line_id)
    assert (back.state, back.release_at) == (LineState.ACTIVE, None)
    await world.advance(2 * KEPT)
    assert world.carrier.numbers, "the release that was cancelled is done all the same"
    await ada.receives("hello again")
    assert await ada.inbox() == ["hello again"]
    await world.use_cases.cancel_release(ada.id, ada.line_id)
    world.carrier.lies = True
    await ada.gives_up()
    await world.settle()
    with pytest.raises(LineNotActive):
        await world.use_cases.cancel_release(ada.id, ada.line_id)


async def test_given_up_twice_a_number_is_kept_from_the_second_time_on(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.release_line(ada.id, ada.line_id)
    await world.advance(KEPT / 2)
    await world.use_cases.cancel_release(ada.id, ada.line_id)
    await world.use_cases.release_line(ada.id, ada.line_id)
    await world.advance(KEPT - MOMENT)
    assert world.carrier.numbers
    await world.advance(MOMENT)
    assert not world.carrier.numbers


async def test_an_account_that_is_deleted_takes_no_line_back(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.release_line(ada.id, ada.line_id)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    with pytest.raises(PendingDeletion):
        await world.use_cases.cancel_release(ada.id, ada.line_id)
    await world.use_cases.recover_account(ada.email, PASSWORD)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.PENDING_RELEASE
    await world.advance(KEPT)
    assert not world.carrier.numbers


async def test_a_carrier_that_says_yes_and_keeps_the_number_is_not_believed(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.lies = True
    await ada.gives_up()
    await world.advance(timedelta(hours=1))
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.RELEASING
    world.carrier.lies = False
    await world.advance(timedelta(days=1))
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.RELEASED


async def test_a_number_that_left_the_list_and_is_still_ours_is_not_released(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.lies = True

    async def unlisted(number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        return None

    world.carrier.find_order = unlisted  # type: ignore[method-assign]
    await ada.gives_up()
    await world.advance(timedelta(hours=1))
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.RELEASING


async def test_a_failed_line_cannot_be_released(world: InMemory) -> None:
    ada = await sign_up(world)
    world.carrier.taken.add(NUMBER)
    with pytest.raises(NumberTaken):
        await world.use_cases.buy_line(ada.id, NUMBER, None, "key")
    (line,) = (await world.use_cases.list_lines(ada.id)).items
    with pytest.raises(LineNotActive):
        await world.use_cases.release_line(ada.id, line.id)
