"""What every provider of numbers promises; what only some can is asked of those that declare it."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from application.ports.carrier_errors import CarrierUnavailable, CarrierUnsupported
from application.ports.numbers import NumberOrder, NumberProvider, OrderFailure
from domain.kernel import CarrierRef
from domain.money import CURRENCY
from domain.values import Country
from pico_testkit.contracts.carrier import (
    LINE,
    NUMBER,
    OTHER_LINE,
    OTHER_NUMBER,
    SMS,
    US,
    CarrierWorld,
    error_of,
)


class NumberProviderContract:
    """Subclass it, and give the fixture `world`. `owned` is NUMBER, already bought for LINE."""

    @pytest.fixture
    def world(self) -> CarrierWorld:
        raise NotImplementedError

    @pytest.fixture
    async def owned(self, world: CarrierWorld) -> CarrierRef:
        return await world.bought()

    # ------------------------------------------------------------------------------------------ search

    async def test_a_search_shows_numbers_that_fit(self, world: CarrierWorld) -> None:
        area = "415" if world.number_abilities.has_area_codes else None
        found = await world.numbers.search(US, area_code=area, contains=None, capabilities=SMS, limit=5)
        assert len({offer.number for offer in found}) == 5
        for offer in found:
            assert offer.number.startswith("+1415" if area else "+1")
            assert offer.country == US
            assert offer.capabilities >= SMS
            assert offer.price == await world.numbers.price(US)

    async def test_a_search_for_digits_shows_numbers_that_contain_them(self, world: CarrierWorld) -> None:
        found = await world.numbers.search(US, area_code=None, contains="55501", capabilities=SMS, limit=3)
        assert len(found) == 3
        assert all("55501" in offer.number for offer in found)

    async def test_a_search_that_nothing_fits_is_empty(self, world: CarrierWorld) -> None:
        found = await world.numbers.search(US, area_code=None, contains="999999", capabilities=SMS, limit=5)
        assert found == []

    @pytest.mark.parametrize("country", ["ZZ", "IL", "", "US/../US"])
    async def test_a_country_without_numbers_is_empty(self, world: CarrierWorld, country: str) -> None:
        found = await world.numbers.search(
            Country(country), area_code=None, contains=None, capabilities=SMS, limit=5
        )
        assert found == []

    async def test_every_number_shown_can_be_bought_and_is_then_not_shown(self, world: CarrierWorld) -> None:
        area = "646" if world.number_abilities.has_area_codes else None
        for _ in range(3):
            [offer] = await world.numbers.search(US, area_code=area, contains=None, capabilities=SMS, limit=1)
            order = await world.ordered(offer.number)
            assert order.ref is not None
            assert order.capabilities == offer.capabilities

    # ----------------------------------------------------------------------------------- order, release

    async def test_an_order_is_pending_only_where_orders_take_time(self, world: CarrierWorld) -> None:
        order = await world.numbers.order(NUMBER, LINE)
        assert order.is_pending == world.number_abilities.orders_take_time
        assert await world.numbers.find_order(NUMBER, LINE) == order
        await world.settle()
        assert await world.holds(NUMBER, LINE)

    async def test_an_order_is_found_again_for_exactly_its_line_and_number(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        found = await world.numbers.find_order(NUMBER, LINE)
        assert found is not None
        assert found.ref == owned
        assert not found.has_failed
        assert await world.numbers.find_order(NUMBER, OTHER_LINE) is None
        assert await world.numbers.find_order(OTHER_NUMBER, LINE) is None
        assert await world.numbers.owns(owned, LINE)

    async def test_a_number_ordered_twice_is_taken(self, world: CarrierWorld, owned: CarrierRef) -> None:
        assert failure_of(await world.ordered(NUMBER, OTHER_LINE)) is OrderFailure.TAKEN
        assert not await world.holds(NUMBER, OTHER_LINE)
        assert await world.numbers.owns(owned, LINE)
        found = await world.numbers.find_order(NUMBER, LINE)
        assert found is not None
        assert found.ref == owned

    async def test_an_order_repeated_for_the_same_line_does_not_hide_the_number_we_have(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        await world.numbers.order(NUMBER, LINE)
        await world.settle()
        found = await world.numbers.find_order(NUMBER, LINE)
        assert found is not None
        assert found.ref == owned

    async def test_a_number_that_somebody_else_bought_meanwhile_is_taken(self, world: CarrierWorld) -> None:
        world.take(NUMBER)
        assert failure_of(await world.ordered()) is OrderFailure.TAKEN
        assert not await world.holds(NUMBER, LINE)

    async def test_an_order_whose_answer_was_lost_is_found(self, world: CarrierWorld) -> None:
        world.lose_next_answer()
        with pytest.raises(CarrierUnavailable):
            await world.numbers.order(NUMBER, LINE)
        assert await world.numbers.find_order(NUMBER, LINE) is not None
        await world.settle()
        found = await world.numbers.find_order(NUMBER, LINE)
        assert found is not None
        assert found.ref is not None
        assert await world.numbers.owns(found.ref, LINE)

    async def test_an_order_during_an_outage_was_not_placed(self, world: CarrierWorld) -> None:
        world.outage(on=True)
        with pytest.raises(CarrierUnavailable):
            await world.numbers.order(NUMBER, LINE)
        world.outage(on=False)
        await world.settle()
        assert await world.numbers.find_order(NUMBER, LINE) is None

    async def test_a_release_is_read_back_and_may_be_repeated(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        for _ in range(2):
            await world.numbers.release(owned, LINE)
            assert not await world.numbers.owns(owned, LINE)
            assert not await world.holds(NUMBER, LINE)

    async def test_a_release_that_was_not_done_shows_when_read_back(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        world.lie()
        await world.numbers.release(owned, LINE)
        assert await world.numbers.owns(owned, LINE)
        assert await world.holds(NUMBER, LINE)

    async def test_a_released_number_serves_its_next_line_only(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        await world.numbers.release(owned, LINE)
        await world.bought(NUMBER, OTHER_LINE)
        assert await world.holds(NUMBER, OTHER_LINE)
        assert not await world.holds(NUMBER, LINE)

    async def test_a_late_release_takes_nothing_from_the_numbers_next_line(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        await world.numbers.release(owned, LINE)
        theirs = await world.bought(NUMBER, OTHER_LINE)
        for ref in (owned, theirs):
            await world.numbers.release(ref, LINE)
            assert not await world.numbers.owns(ref, LINE)
        assert await world.numbers.owns(theirs, OTHER_LINE)
        assert await world.holds(NUMBER, OTHER_LINE)

    async def test_the_number_held_for_a_line_is_found_by_the_line_alone(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        assert await world.numbers.held_for(LINE) == (owned, NUMBER)
        assert await world.numbers.held_for(OTHER_LINE) is None
        await world.numbers.release(owned, LINE)
        assert await world.numbers.held_for(LINE) is None

    # -------------------------------------------------------------------------------------------- list

    async def test_a_provider_that_lists_shows_every_number_with_the_line_it_was_ordered_for(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        if not world.number_abilities.can_list:
            with pytest.raises(CarrierUnsupported):
                await world.numbers.list_numbers()
            return
        theirs = await world.bought(OTHER_NUMBER, OTHER_LINE)
        listed = {one.ref: one for one in await world.numbers.list_numbers()}
        assert {ref: (one.number, one.line_id) for ref, one in listed.items()} == {
            owned: (NUMBER, LINE),
            theirs: (OTHER_NUMBER, OTHER_LINE),
        }
        assert all(one.reaches_us and not one.is_suspended for one in listed.values())
        assert all(abs(one.since - world.now) < timedelta(minutes=1) for one in listed.values())
        await world.numbers.release(owned, LINE)
        assert [one.ref for one in await world.numbers.list_numbers()] == [theirs]

    async def test_a_price_is_of_the_numbers_country(self, world: CarrierWorld) -> None:
        for country, unknown in ((US, False), (Country("ZZ"), True)):
            price = await world.numbers.price(country)
            assert price is None or (not unknown and price.amount >= 0 and CURRENCY.match(price.currency))

    # ------------------------------------------------------------------------------------------- errors

    async def test_during_an_outage_every_question_about_numbers_says_so(
        self, world: CarrierWorld, owned: CarrierRef
    ) -> None:
        world.outage(on=True)
        for ask in every_number_method(world.numbers, owned):
            with pytest.raises(CarrierUnavailable):
                await ask

    async def test_nonsense_about_numbers_is_no_answer(self, world: CarrierWorld, owned: CarrierRef) -> None:
        for oddity in world.oddities:
            world.babble(oddity)
            for ask in every_number_method(world.numbers, owned):
                error = await error_of(ask)
                assert isinstance(error, CarrierUnavailable), oddity
                assert (error.__cause__, error.__context__) == (None, None)
            world.babble("")
            await world.settle()
            order = await world.numbers.find_order(OTHER_NUMBER, OTHER_LINE)
            if order is None:  # it takes several acts, of which the last was not done
                assert world.number_abilities.orders_take_time
                continue
            assert order.ref is not None
            await world.numbers.release(order.ref, OTHER_LINE)
        assert await world.numbers.owns(owned, LINE)

    async def test_no_error_about_numbers_shows_which(self, world: CarrierWorld, owned: CarrierRef) -> None:
        world.outage(on=True)
        for ask in every_number_method(world.numbers, owned):
            error = await error_of(ask)
            shown = repr(error) + "".join(traceback.format_exception(error))
            assert not any(number.removeprefix("+") in shown for number in (NUMBER, OTHER_NUMBER))
            assert (error.__cause__, error.__context__) == (None, None)


def failure_of(order: NumberOrder) -> OrderFailure | None:
    """Return why an order failed; None when it did not."""
    assert order.has_failed == (order.failure is not None)
    return order.failure


def every_number_method(numbers: NumberProvider, owned: CarrierRef) -> list[Awaitable[object]]:
    """Ask the provider for everything once."""
    return [
        numbers.search(US, area_code=None, contains=None, capabilities=SMS, limit=1),
        numbers.order(OTHER_NUMBER, OTHER_LINE),
        numbers.find_order(NUMBER, LINE),
        numbers.release(owned, LINE),
        numbers.owns(owned, LINE),
        numbers.held_for(LINE),
        *([numbers.list_numbers()] if numbers.number_abilities.can_list else []),
    ]
