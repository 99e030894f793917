"""Leasing a number, whatever the carrier does meanwhile, and what a line is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from application.line_settings import LineSettings
from application.ports.numbers import AvailableNumber, NumberOrder
from bootstrap.worlds import InMemory
from domain.idempotency import IdempotencyMismatch
from domain.kernel import AccountId, CarrierRef, LineId, NotFound
from domain.lines import LineState, NoCountry, NotForMessages, NumberTaken, PhoneLine
from domain.values import Capability, Country, Label, PhoneNumber
from tests.support.actors import PASSWORD, sign_up, with_line

US, NUMBER = Country("US"), PhoneNumber("+12025550143")
SMS = frozenset({Capability.SMS})
NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def test_what_is_on_offer_can_be_bought(world: InMemory) -> None:
    ada = await sign_up(world)
    offers = await world.use_cases.search_numbers(US, "202", None, SMS)
    line = (await world.use_cases.buy_line(ada.id, offers[0].number, None, "key")).line
    assert line.state is LineState.ACTIVE
    assert line.capabilities == offers[0].capabilities
    assert [found.id for found in (await world.use_cases.list_lines(ada.id)).items] == [line.id]


async def test_the_same_key_buys_once(world: InMemory) -> None:
    ada = await sign_up(world)
    first = (await world.use_cases.buy_line(ada.id, NUMBER, Label("mine"), "key")).line
    again = (await world.use_cases.buy_line(ada.id, NUMBER, Label("mine"), "key")).line
    assert again.id == first.id
    assert world.carrier.calls.count("order") == 1


async def test_the_same_key_with_another_request_is_refused(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.buy_line(ada.id, NUMBER, None, "key")
    with pytest.raises(IdempotencyMismatch):
        await world.use_cases.buy_line(ada.id, PhoneNumber("+12025550144"), None, "key")


async def test_a_number_that_is_gone_leaves_a_failed_line_and_no_lease(world: InMemory) -> None:
    ada = await sign_up(world)
    world.carrier.taken.add(NUMBER)
    with pytest.raises(NumberTaken):
        await world.use_cases.buy_line(ada.id, NUMBER, None, "key")
    assert [line.state for line in (await world.use_cases.list_lines(ada.id)).items] == [LineState.FAILED]
    world.carrier.taken.clear()
    assert (await world.use_cases.buy_line(ada.id, NUMBER, None, "other")).line.state is LineState.ACTIVE


async def test_a_number_that_is_leased_cannot_be_leased_again(world: InMemory) -> None:
    await with_line(world, "ada", NUMBER)
    boris = await sign_up(world, "boris")
    with pytest.raises(NumberTaken):
        await world.use_cases.buy_line(boris.id, NUMBER, None, "key")


async def test_a_lost_answer_is_found_again_and_bought_once(world: InMemory) -> None:
    ada = await sign_up(world)
    world.carrier.lose_answers = 1
    line = (await world.use_cases.buy_line(ada.id, NUMBER, None, "key")).line
    assert line.state is LineState.ORDERING
    again = await world.use_cases.buy_line(ada.id, NUMBER, None, "key")
    assert (again.line, again.repeated) == (line, True), "it is shown again, and nothing is ordered"
    await world.advance(timedelta(minutes=5))
    assert (await world.use_cases.read_line(ada.id, line.id)).state is LineState.ACTIVE
    assert world.carrier.calls.count("order") == 1


async def test_a_number_taken_by_an_earlier_attempt_of_our_own_is_ours_though_the_list_shows_it_late(
    world: InMemory,
) -> None:
    ada = await sign_up(world)
    world.carrier.lose_answers = 1
    line = (await world.use_cases.buy_line(ada.id, NUMBER, None, "key")).line
    find, late = world.carrier.find_order, [True]

    async def lagging(number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        return None if late and late.pop() else await find(number, line_id)

    world.carrier.find_order = lagging  # type: ignore[method-assign]
    await world.advance(timedelta(minutes=5))
    assert (await world.use_cases.read_line(ada.id, line.id)).state is LineState.ACTIVE
    assert world.carrier.calls.count("order") == 2


async def test_an_outage_delays_the_purchase(world: InMemory) -> None:
    ada = await sign_up(world)
    world.carrier.outage = True
    line = (await world.use_cases.buy_line(ada.id, NUMBER, None, "key")).line
    await world.advance(timedelta(minutes=1))
    assert (await world.use_cases.read_line(ada.id, line.id)).state is LineState.ORDERING
    world.carrier.outage = False
    await world.advance(timedelta(hours=1))
    assert (await world.use_cases.read_line(ada.id, line.id)).state is LineState.ACTIVE


async def test_an_order_that_waits_is_completed_when_it_is_decided(world: InMemory) -> None:
    ada = await sign_up(world)
    world.carrier.orders_wait = True
    line = (await world.use_cases.buy_line(ada.id, NUMBER, None, "key")).line
    await world.advance(timedelta(hours=1))
    assert (await world.use_cases.read_line(ada.id, line.id)).state is LineState.ORDERING
    world.carrier.decide()
    await world.advance(timedelta(hours=1))
    assert (await world.use_cases.read_line(ada.id, line.id)).state is LineState.ACTIVE
    assert world.carrier.calls.count("order") == 1


async def test_a_message_that_comes_while_its_number_is_on_order_is_there_once(world: InMemory) -> None:
    ada = await sign_up(world)
    world.carrier.orders_wait = True
    ada.line = (await world.use_cases.buy_line(ada.id, NUMBER, None, "key")).line
    for _ in range(3):
        await ada.receives("early", ref="SM1")
    world.carrier.decide()
    await world.advance(timedelta(hours=1))
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).accepts_messages
    assert await ada.inbox() == ["early"]
    await ada.receives("early", ref="SM1")
    assert await ada.inbox() == ["early"]


async def test_a_number_is_found_before_the_carrier_is_asked_for_it(world: InMemory) -> None:
    ada = await sign_up(world)
    order = world.carrier.order

    async def order_overtaken(number: PhoneNumber, line_id: LineId) -> NumberOrder:
        ordered = await order(number, line_id)
        ada.line = await world.use_cases.read_line(ada.id, line_id)
        await ada.receives("early")
        return ordered

    world.carrier.order = order_overtaken  # type: ignore[method-assign]
    line = (await world.use_cases.buy_line(ada.id, NUMBER, None, "key")).line
    assert line.state is LineState.ACTIVE
    assert await ada.inbox() == ["early"]


async def test_nothing_comes_in_on_an_order_after_a_request_to_delete(world: InMemory) -> None:
    ada = await sign_up(world)
    world.carrier.orders_wait = True
    ada.line = (await world.use_cases.buy_line(ada.id, NUMBER, None, "key")).line
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await ada.receives("too late")
    world.carrier.decide()
    await world.advance(timedelta(hours=1))
    assert (await world.store.count_rows(ada.id))["messages"] == 0


def test_a_line_that_failed_is_used_all_the_same_if_the_carrier_sold_the_number() -> None:
    line = PhoneLine.order(
        AccountId(UUID(int=1)),
        LineId(UUID(int=2)),
        number=NUMBER,
        country=US,
        label=None,
        at=NOW,
    )
    line.fail()
    assert not line.holds_number
    line.activate(CarrierRef("PN1"), SMS, NOW)
    assert line.accepts_messages
    assert not line.was_ours_at(NOW - timedelta(microseconds=1))
    assert line.was_ours_at(NOW)


@pytest.mark.parametrize(
    ("number", "country"),
    [
        (NUMBER, "US"), ("+16135550143", "CA"), ("+18765550143", "JM"), ("+15005550006", "US"),
        ("+447700900123", "GB"), ("+972521234567", "IL"),
    ],
)  # fmt: skip
async def test_a_number_tells_its_country(number: str, country: str, world: InMemory) -> None:
    ada, wanted = await sign_up(world), PhoneNumber(number)
    world.carrier.on_offer.append(AvailableNumber(wanted, Country(country), frozenset(Capability)))
    line = (await world.use_cases.buy_line(ada.id, wanted, None, "key")).line
    assert (line.country, line.state) == (country, LineState.ACTIVE)


@pytest.mark.parametrize("number", ["+99912345678", "+883510012345"])
async def test_a_number_of_no_country_is_refused(number: str, world: InMemory) -> None:
    ada = await sign_up(world)
    with pytest.raises(NoCountry):
        await world.use_cases.buy_line(ada.id, PhoneNumber(number), None, "key")
    assert (await world.use_cases.list_lines(ada.id)).items == []


async def test_a_purchase_that_ends_after_a_request_to_delete_carries_nothing(world: InMemory) -> None:
    ada = await sign_up(world)
    world.carrier.lose_answers = 1
    ada.line = (await world.use_cases.buy_line(ada.id, NUMBER, None, "key")).line
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.advance(timedelta(minutes=5))
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.SUSPENDED
    await world.advance(timedelta(days=30))
    assert not world.carrier.numbers


async def test_a_line_takes_another_name_or_none(world: InMemory) -> None:
    ada = await with_line(world)
    assert (
        await world.use_cases.change_line(ada.id, ada.line_id, LineSettings(Label("work")))
    ).label == "work"
    assert (await world.use_cases.change_line(ada.id, ada.line_id, LineSettings(None))).label is None


async def test_somebody_elses_line_does_not_exist(world: InMemory) -> None:
    ada = await with_line(world)
    boris = await sign_up(world, "boris")
    for act in (world.use_cases.read_line, world.use_cases.release_line, world.use_cases.cancel_release):
        with pytest.raises(NotFound):
            await act(boris.id, ada.line_id)


async def test_a_line_without_messages_sends_none_and_says_so(world: InMemory) -> None:
    voice = frozenset({Capability.VOICE})
    world.carrier.on_offer = [replace(offer, capabilities=voice) for offer in world.carrier.on_offer]
    ada = await with_line(world)
    with pytest.raises(NotForMessages):
        await ada.sends("hello")
    assert await ada.inbox() == []
    await ada.receives("yet it hears")
    assert await ada.inbox() == ["yet it hears"]
