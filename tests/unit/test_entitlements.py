"""What a plan entitles to is asked before the carrier is: lines at a time, countries, and the price that was shown."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from typing_extensions import override

from adapters.outbound.system.entitlements import FixedPlan
from application.ports.entitlements import Entitlements
from bootstrap.worlds import InMemory
from domain.entitlements import CountryNotInPlan, LineLimitReached, Plan
from domain.kernel import AccountId, ErrorKind, PicoError
from domain.lines import LineState, PriceChanged
from domain.money import Money
from domain.values import Country, PhoneNumber
from tests.support.actors import sign_up

NUMBERS = [PhoneNumber(f"+120255501{tail}") for tail in range(43, 50)]
TWO = FixedPlan(Plan(2))


def planned(entitlements: Entitlements) -> InMemory:
    return InMemory(entitlements=entitlements)


async def test_one_line_more_than_the_plan_allows_is_refused_before_the_carrier_is_asked() -> None:
    world = planned(TWO)
    ada, boris = await sign_up(world), await sign_up(world, "boris")
    buy = world.use_cases.buy_line
    first = (await buy(ada.id, NUMBERS[0], None, "0")).line
    await buy(ada.id, NUMBERS[1], None, "1")
    asked = list(world.carrier.calls)
    with pytest.raises(LineLimitReached):
        await buy(ada.id, NUMBERS[2], None, "2")
    assert world.carrier.calls == asked
    assert (await buy(ada.id, NUMBERS[1], None, "1")).repeated, "what was bought is shown again"
    await buy(boris.id, NUMBERS[2], None, "0")
    await world.use_cases.release_line(ada.id, first.id)
    with pytest.raises(LineLimitReached):
        await buy(ada.id, NUMBERS[3], None, "3")
    await world.advance(timedelta(days=7))
    await buy(ada.id, NUMBERS[3], None, "3")
    assert len(world.carrier.numbers) == 3


async def test_orders_that_race_for_the_last_place_never_come_to_more_than_the_plan_allows() -> None:
    world = planned(TWO)
    ada = await sign_up(world)
    await asyncio.gather(
        *(world.use_cases.buy_line(ada.id, number, None, number) for number in NUMBERS),
        return_exceptions=True,
    )
    await world.advance(timedelta(hours=1))
    lines = (await world.use_cases.list_lines(ada.id)).items
    assert not any(line.is_ordering for line in lines)
    assert len(world.carrier.numbers) == sum(line.holds_number for line in lines) <= 2


async def test_an_order_that_waits_while_the_plan_ends_is_not_placed() -> None:
    fixed = FixedPlan(Plan(1))
    world = planned(fixed)
    ada = await sign_up(world)
    world.carrier.outage = True
    line = (await world.use_cases.buy_line(ada.id, NUMBERS[0], None, "key")).line
    world.carrier.outage, fixed.every = False, Plan(0)
    await world.advance(timedelta(minutes=5))
    assert (await world.use_cases.read_line(ada.id, line.id)).state is LineState.FAILED
    assert not world.carrier.numbers


async def test_a_country_that_the_plan_does_not_include_is_refused() -> None:
    world = planned(FixedPlan(Plan(9, frozenset({Country("GB")}))))
    ada = await sign_up(world)
    with pytest.raises(CountryNotInPlan):
        await world.use_cases.buy_line(ada.id, NUMBERS[0], None, "key")
    assert "order" not in world.carrier.calls


async def test_where_the_plan_cannot_be_read_nothing_is_bought() -> None:
    class Away(PicoError):
        """Billing does not answer."""

        kind = ErrorKind.UNAVAILABLE

    class Silent(Entitlements):
        @override
        async def plan(self, account_id: AccountId) -> Plan:
            raise Away

    world = planned(Silent())
    ada = await sign_up(world)
    with pytest.raises(Away):
        await world.use_cases.buy_line(ada.id, NUMBERS[0], None, "key")
    assert (await world.use_cases.list_lines(ada.id)).items == []


@pytest.mark.parametrize("shown", [Money(114, "USD"), Money(115, "EUR")])
async def test_at_another_price_than_was_shown_nothing_is_bought(world: InMemory, shown: Money) -> None:
    ada = await sign_up(world)
    with pytest.raises(PriceChanged):
        await world.use_cases.buy_line(ada.id, NUMBERS[0], None, "key", shown)
    assert "order" not in world.carrier.calls
    bought = await world.use_cases.buy_line(ada.id, NUMBERS[0], None, "key", Money(115, "USD"))
    assert bought.line.state is LineState.ACTIVE
    world.carrier.outage = True  # what is bought already is not priced again
    again = await world.use_cases.buy_line(ada.id, NUMBERS[0], None, "key", Money(115, "USD"))
    assert (again.line.id, again.repeated) == (bought.line.id, True)


async def test_each_number_on_offer_has_its_price_where_the_provider_says_one(world: InMemory) -> None:
    search = world.use_cases.search_numbers
    offers = await search(Country("US"), None, None, frozenset())
    assert {offer.price for offer in offers} == {Money(115, "USD")}
    world.carrier.prices = {}
    assert {offer.price for offer in await search(Country("US"), None, None, frozenset())} == {None}
