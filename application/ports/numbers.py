"""A provider of phone numbers. An order takes its time with some: pending until the provider decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple, Protocol, Self

from application.ports.carrier_errors import CarrierUnsupported
from domain.kernel import CarrierRef, LineId
from domain.money import Money
from domain.values import Capability, Country, PhoneNumber


@dataclass(frozen=True, slots=True)
class NumberAbilities:
    """What a provider of numbers offers; what it does not is left out, not imitated."""

    has_area_codes: bool = False
    """Searches can be narrowed to an area code, in countries that have them."""
    orders_take_time: bool = False
    """An order may be pending; otherwise `order` answers with the decision."""
    can_list: bool = False
    """It lists every number that it holds for us."""
    has_line_webhooks: bool = False
    """Each number's webhooks have an address of their own, which names the line."""


@dataclass(frozen=True, slots=True)
class AvailableNumber:
    """A number on offer. It is not held for us: an order may still fail."""

    number: PhoneNumber
    country: Country
    capabilities: frozenset[Capability]
    price: Money | None = None
    """What it costs a month; None where the provider does not say."""


class OrderState(StrEnum):
    """Where an order stands. Pending ones become active or failed; an active one stays so until it is released."""

    PENDING = "pending"
    ACTIVE = "active"
    FAILED = "failed"


class OrderFailure(StrEnum):
    """Why an order failed."""

    TAKEN = "taken"
    """Somebody else has the number, or it is not sold."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NumberOrder:
    """What has become of an order. An active one has the number's `ref`; `provider_code` is for operators."""

    state: OrderState
    ref: CarrierRef | None = None
    capabilities: frozenset[Capability] = frozenset()
    failure: OrderFailure | None = None
    provider_code: int | None = None

    @classmethod
    def active(cls, ref: CarrierRef, capabilities: frozenset[Capability]) -> Self:
        """Return an order that was filled."""
        return cls(OrderState.ACTIVE, ref, capabilities)

    @classmethod
    def failed(cls, failure: OrderFailure, provider_code: int | None = None) -> Self:
        """Return an order that was refused."""
        return cls(OrderState.FAILED, failure=failure, provider_code=provider_code)

    @property
    def is_pending(self) -> bool:
        """Whether the provider has not decided yet."""
        return self.state is OrderState.PENDING

    @property
    def has_failed(self) -> bool:
        """Whether the provider decided against it: it holds nothing for us and bills nothing."""
        return self.state is OrderState.FAILED


PENDING = NumberOrder(OrderState.PENDING)


class HeldNumber(NamedTuple):
    """A number as the provider holds it for us."""

    ref: CarrierRef
    number: PhoneNumber


@dataclass(frozen=True, slots=True)
class CarrierNumber:
    """A number as the provider lists it."""

    ref: CarrierRef
    number: PhoneNumber
    line_id: LineId | None
    """The line it was ordered for; None where it bears no mark of ours."""
    since: datetime
    reaches_us: bool
    """Whether what comes in for it is sent to us: another environment may share the account at the provider."""
    is_suspended: bool = False


class NumberProvider(Protocol):
    """Every method raises CarrierUnavailable when no certain answer came (after its own bounded retries of reads).

    Writes are never repeated by an adapter: on an unknown outcome it raises, and the use case looks (`find_order`)
    before it asks again.
    """

    name: ClassVar[str]
    number_abilities: NumberAbilities

    async def search(
        self,
        country: Country,
        *,
        area_code: str | None,
        contains: str | None,
        capabilities: frozenset[Capability],
        limit: int,
    ) -> list[AvailableNumber]:
        """Return numbers on offer; none when nothing fits or the country is not served. Repeating is harmless."""
        ...

    async def order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder:
        """Order the number, its webhooks pointed at us in the same act; the provider keeps `line_id` beside it.

        Returns the order: a refusal is a failed one. Raises CarrierUnavailable: the outcome is unknown. Not
        repeatable: look first.
        """
        ...

    async def find_order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        """Return what has become of the order of this number for exactly this line; None when there was none.

        Of several, an active one counts before a pending one, and that before a failed one. A released number is
        not active any more. A provider that keeps no refused orders answers None for them. Repeating is harmless.
        """
        ...

    async def release(self, ref: CarrierRef, line_id: LineId) -> None:
        """Give the number back, if it is held for exactly this line. One that is not is left alone, and is success.

        Whoever bought the number since may have it under the same reference. Repeating is harmless.
        """
        ...

    async def held_for(self, line_id: LineId) -> HeldNumber | None:
        """Return the number that the provider holds for exactly this line; None when there is none.

        It tells what a line's own record no longer can. Repeating is harmless.
        """
        ...

    async def list_numbers(self) -> list[CarrierNumber]:
        """Return every number that is held in our account at the provider, ours or not; all of them, or it raises.

        Raises CarrierUnsupported unless declared (`can_list`). Repeating is harmless.
        """
        raise CarrierUnsupported

    async def price(self, country: Country) -> Money | None:
        """Return what a number of this country costs a month; None where that is not known. Repeating is harmless."""
        return None

    async def was_ported_out(self, number: PhoneNumber) -> bool:
        """Tell whether another carrier took over a number that was held here. Not everybody says. Repeatable."""
        return False

    async def owns(self, ref: CarrierRef, line_id: LineId) -> bool:
        """Tell whether the number is held for this line: read back, not remembered. Repeating is harmless."""
        ...
