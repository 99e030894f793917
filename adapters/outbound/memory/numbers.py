"""The half of the carrier in memory that sells numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from typing_extensions import override

from adapters.outbound.memory.carrier_faults import CarrierFaults
from application.ports.carrier_errors import CarrierUnsupported
from application.ports.numbers import (
    PENDING,
    AvailableNumber,
    CarrierNumber,
    HeldNumber,
    NumberAbilities,
    NumberOrder,
    NumberProvider,
    OrderFailure,
)
from domain.kernel import CarrierRef, LineId
from domain.money import Money
from domain.values import Capability, Country, PhoneNumber

ON_OFFER = tuple(
    AvailableNumber(PhoneNumber(f"+1{area}55501{tail:02}"), Country("US"), frozenset(Capability))
    for area in ("202", "415", "646")
    for tail in range(100)
)
"""Numbers reserved for fiction (NANPA)."""
ABILITIES = NumberAbilities(has_area_codes=True, can_list=True, has_line_webhooks=True)


@dataclass(frozen=True, slots=True)
class OwnedNumber:
    """A number that is ours, and the line it was ordered for; None for one that somebody bought by hand."""

    number: PhoneNumber
    order: NumberOrder
    line_id: LineId | None
    since: datetime


class MemoryNumberProvider(CarrierFaults, NumberProvider):
    """Sells the numbers `on_offer`, at once or, while `orders_wait`, when `decide` is called."""

    name: ClassVar[str] = "memory"

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin with three hundred numbers on offer, none of them ours."""
        super().__init__(now)
        self.number_abilities = ABILITIES
        self.orders_wait = False
        self.on_offer: list[AvailableNumber] = list(ON_OFFER)
        self.taken: set[str] = set()
        self.numbers: dict[CarrierRef, OwnedNumber] = {}
        self.pending: list[tuple[PhoneNumber, LineId]] = []
        self.refused: set[tuple[PhoneNumber, LineId]] = set()
        """Orders that were pending and failed."""
        self.elsewhere: set[CarrierRef] = set()
        """Numbers whose webhooks somebody has led away from us."""
        self.ported_out: set[str] = set()
        """Numbers that another carrier has taken over."""
        self.suspended: set[CarrierRef] = set()
        self.prices: dict[Country, Money] = {Country("US"): Money(115, "USD")}

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
        """Return numbers on offer. `contains` is taken as plain digits."""
        self.hear("search")
        return [
            replace(offer, price=self.prices.get(offer.country))
            for offer in self.on_offer
            if offer.country == country
            and offer.number not in self.taken | self.owners.keys()
            and capabilities <= offer.capabilities
            and (area_code is None or offer.number.startswith(f"+1{area_code}"))
            and (contains is None or contains in offer.number)
        ][:limit]

    @override
    async def order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder:
        self.hear("order")
        wanted = {owned for owned, _ in self.pending}
        order = (
            self._fill(number, line_id) if number not in wanted else NumberOrder.failed(OrderFailure.TAKEN)
        )
        self.answer()
        return order

    @override
    async def find_order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        self.hear("find_order")
        for owned in self.numbers.values():
            if (owned.number, owned.line_id) == (number, line_id):
                return owned.order
        if (number, line_id) in self.pending:
            return PENDING
        return NumberOrder.failed(OrderFailure.TAKEN) if (number, line_id) in self.refused else None

    @override
    async def release(self, ref: CarrierRef, line_id: LineId) -> None:
        """Give the line's number back. What the other sides asked of it goes with it."""
        self.hear("release")
        if self._is_held(ref, line_id) and not self.lies:
            number = self.numbers.pop(ref).number
            del self.owners[number]
            self.opted_out = {pair for pair in self.opted_out if pair[0] != number}
        self.answer()

    @override
    async def held_for(self, line_id: LineId) -> HeldNumber | None:
        self.hear("held_for")
        held = (
            HeldNumber(ref, owned.number) for ref, owned in self.numbers.items() if owned.line_id == line_id
        )
        return next(held, None)

    @override
    async def list_numbers(self) -> list[CarrierNumber]:
        self.hear("list_numbers")
        if not self.number_abilities.can_list:
            raise CarrierUnsupported
        return [
            CarrierNumber(
                ref,
                owned.number,
                owned.line_id,
                owned.since,
                ref not in self.elsewhere,
                ref in self.suspended,
            )
            for ref, owned in self.numbers.items()
        ]

    @override
    async def price(self, country: Country) -> Money | None:
        self.hear("price")
        return self.prices.get(country)

    @override
    async def owns(self, ref: CarrierRef, line_id: LineId) -> bool:
        self.hear("owns")
        return self._is_held(ref, line_id)

    @override
    async def was_ported_out(self, number: PhoneNumber) -> bool:
        self.hear("was_ported_out")
        return number in self.ported_out

    def decide(self) -> None:
        """Decide every pending order: it is filled unless the number is taken meanwhile."""
        pending, self.pending = self.pending, []
        self.refused |= {wanted for wanted in pending if self._sell(*wanted).has_failed}

    def _is_held(self, ref: CarrierRef, line_id: LineId) -> bool:
        return ref in self.numbers and self.numbers[ref].line_id == line_id

    def _fill(self, number: PhoneNumber, line_id: LineId) -> NumberOrder:
        if not self.orders_wait:
            return self._sell(number, line_id)
        self.pending.append((number, line_id))
        return PENDING

    def _sell(self, number: PhoneNumber, line_id: LineId) -> NumberOrder:
        """Sell a number. It has the same reference whoever buys it, and whenever."""
        offers = {offer.number: (at, offer) for at, offer in enumerate(self.on_offer)}
        if number not in offers or number in self.taken or number in self.owners:
            return NumberOrder.failed(OrderFailure.TAKEN)
        at, offer = offers[number]
        ref = CarrierRef(f"number-{at}")
        order = NumberOrder.active(ref, offer.capabilities)
        self.numbers[ref], self.owners[number] = OwnedNumber(number, order, line_id, self.now()), line_id
        return order
