"""Several providers of numbers behind one port: a number is ordered where its country's lines are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from typing_extensions import override

from adapters.outbound.several.references import owner_of
from application.ports.numbering import NumberingPlan
from application.ports.numbers import (
    AvailableNumber,
    CarrierNumber,
    HeldNumber,
    NumberAbilities,
    NumberOrder,
    NumberProvider,
)
from domain.kernel import CarrierRef, LineId
from domain.money import Money
from domain.values import Capability, Country, PhoneNumber


@dataclass(slots=True)
class EveryProvider(NumberProvider):
    """Asks each provider for what is its own.

    `countries` says with whom new lines are, where that is not the first provider. What is held already stays where it
    is when that changes: references say whose they are, and whoever may hold a number is asked.
    """

    name: ClassVar[str] = "several"
    by_name: Mapping[str, NumberProvider]
    countries: Mapping[Country, str]
    plan: NumberingPlan
    number_abilities: NumberAbilities = field(init=False)
    """What all of them offer; orders take time if they do with one."""

    def __post_init__(self) -> None:
        """Put together what they offer."""
        each = [provider.number_abilities for provider in self.by_name.values()]
        self.number_abilities = NumberAbilities(
            has_area_codes=all(abilities.has_area_codes for abilities in each),
            orders_take_time=any(abilities.orders_take_time for abilities in each),
            can_list=all(abilities.can_list for abilities in each),
            has_line_webhooks=all(abilities.has_line_webhooks for abilities in each),
        )

    @override
    async def search(
        self,
        country: Country,
        *,
        area_code: str | None,
        contains: str | None,
        capabilities: frozenset[Capability],
        limit: int,
    ) -> list[AvailableNumber]:
        return await self._of(country).search(
            country, area_code=area_code, contains=contains, capabilities=capabilities, limit=limit
        )

    @override
    async def order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder:
        return await self._of(self.plan.country(number)).order(number, line_id)

    @override
    async def find_order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        """Ask first where it would be ordered now, then the others: it may have been elsewhere that day."""
        found: list[NumberOrder] = []
        for provider in self._likeliest_first(number):
            order = await provider.find_order(number, line_id)
            if order is not None and order.ref is not None:
                return order
            found += [order] if order is not None else []
        pending = [order for order in found if order.is_pending]
        return next(iter(pending + found), None)

    @override
    async def release(self, ref: CarrierRef, line_id: LineId) -> None:
        await owner_of(ref, self.by_name).release(ref, line_id)

    @override
    async def held_for(self, line_id: LineId) -> HeldNumber | None:
        for provider in self.by_name.values():
            held = await provider.held_for(line_id)
            if held is not None:
                return held
        return None

    @override
    async def list_numbers(self) -> list[CarrierNumber]:
        """List what all of them hold: a list without one of them would show its lines' numbers as missing."""
        listing = [await provider.list_numbers() for provider in self.by_name.values()]
        return [number for numbers in listing for number in numbers]

    @override
    async def price(self, country: Country) -> Money | None:
        return await self._of(country).price(country)

    @override
    async def owns(self, ref: CarrierRef, line_id: LineId) -> bool:
        return await owner_of(ref, self.by_name).owns(ref, line_id)

    @override
    async def was_ported_out(self, number: PhoneNumber) -> bool:
        for provider in self._likeliest_first(number):
            if await provider.was_ported_out(number):
                return True
        return False

    def _of(self, country: Country | None) -> NumberProvider:
        """Return the provider of a country's new lines."""
        first = next(iter(self.by_name))
        return self.by_name[first if country is None else self.countries.get(country, first)]

    def _likeliest_first(self, number: PhoneNumber) -> Iterator[NumberProvider]:
        likeliest = self._of(self.plan.country(number))
        yield likeliest
        yield from (provider for provider in self.by_name.values() if provider is not likeliest)
