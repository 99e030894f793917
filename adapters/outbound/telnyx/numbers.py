"""Telnyx as our provider of numbers. Its orders take their time (Telnyx: number orders)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from typing_extensions import override

from adapters.outbound.telnyx.answers import (
    Resource,
    certain,
    code_of,
    id_of,
    instant_of,
    list_of,
    opaque,
    ref_of,
    resource_of,
    words_of,
)
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.profiles import Profiles
from adapters.outbound.telnyx.vocabulary import NOT_FOR_SALE, Gone
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
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

NORTH_AMERICA = frozenset({"US", "CA"})
HELD = frozenset({"active", "port-out-pending", "emergency-only"})
ON_THEIR_WAY = frozenset(
    {
        "purchase-pending",
        "provision-pending",
        "requirement-info-pending",
        "requirement-info-under-review",
        "requirement-info-exception",
    }
)
PORTED = "ported"
"""The status of a port-out that is done."""
LONGEST_INVENTORY = 100_000
"""Numbers that are listed, or none are."""
MARK = re.compile("pico-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\\Z")
SENDS = frozenset({Capability.SMS, Capability.MMS})
"""What we do with any number here; its calls come to us where there is an application that takes them."""
SHOWS_AFTER = timedelta(minutes=5)
"""By then a number that was bought shows among ours; until then its order counts as pending."""


@dataclass(frozen=True, slots=True)
class TelnyxNumbers(NumberProvider):
    """Orders, lists and releases numbers, each with a messaging profile of its own, which is its line's.

    Telnyx heeds a STOP for every number of a profile: in one that lines share, somebody who wants to hear no more from
    one of them would hear from none, and whoever else sends there would learn of it.
    """

    name: ClassVar[str] = "telnyx"
    number_abilities = NumberAbilities(
        has_area_codes=True, orders_take_time=True, can_list=True, has_line_webhooks=True
    )

    api: TelnyxApi
    prices: Mapping[Country, Money] = field(default_factory=dict)
    """What the operator pays for a number a month, by country."""
    connection_id: str = ""
    """The Voice API application to which the calls of new numbers go; without one they carry none."""

    @property
    def _able(self) -> frozenset[Capability]:
        return SENDS | {Capability.VOICE} if self.connection_id else SENDS

    @property
    def _profiles(self) -> Profiles:
        return Profiles(self.api.http, self.api.webhooks)

    @override
    @certain
    async def search(
        self,
        country: Country,
        *,
        area_code: str | None,
        contains: str | None,
        capabilities: frozenset[Capability],
        limit: int,
    ) -> list[AvailableNumber]:
        """Return numbers on offer. Area codes exist in North America only; `contains` is digits anywhere."""
        if not re.fullmatch("[A-Z]{2}", country) or (area_code and country not in NORTH_AMERICA):
            return []
        if not capabilities <= self._able:
            return []
        asked = [("filter[country_code]", str(country)), ("filter[limit]", str(limit))]
        asked += [("filter[features][]", capability.value) for capability in sorted(capabilities)]
        asked += [("filter[national_destination_code]", area_code)] if area_code else []
        asked += [("filter[phone_number][contains]", contains)] if contains else []
        try:
            offers = await self.api.http.page("/available_phone_numbers", asked)
        except CarrierRefused:  # it has no numbers there, or none like this
            return []
        return [
            AvailableNumber(
                PhoneNumber.parse(words_of(n.get("phone_number"))), country, capabilities_of(n, self._able)
            )
            for n in offers
        ][:limit]

    @override
    @certain
    async def order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder:
        """Make the line's profile, which names our webhook, and order the number into it with the line beside it."""
        profile_id = await self._profiles.made(line_id)
        try:
            order = await self.api.http.post(
                "/number_orders",
                {
                    "phone_numbers": [{"phone_number": str(number)}],
                    "messaging_profile_id": profile_id,
                    "customer_reference": mark(line_id),
                    **({"connection_id": self.connection_id} if self.connection_id else {}),
                },
            )
        except CarrierRefused as refusal:
            taken = refusal.provider_code in NOT_FOR_SALE or isinstance(refusal, Gone)
            return NumberOrder.failed(
                OrderFailure.TAKEN if taken else OrderFailure.REFUSED, refusal.provider_code
            )
        decided = state_of(order)
        if decided == "failure":
            return NumberOrder.failed(OrderFailure.TAKEN, code_of(order.get("errors")))
        return PENDING  # also one that is filled at once: what it came to is read, not believed

    @override
    @certain
    async def find_order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        """Look among our numbers first, then among the orders of this line.

        What was filled and is ours no more was released, unless that is so recent that it may not show yet.
        """
        async for owned in self._numbers(number):
            if await self._is_for(owned, line_id):
                status = words_of(owned.get("status"))
                if status in HELD:
                    return NumberOrder.active(ref_of(owned.get("id")), await self._can(owned))
                if status in ON_THEIR_WAY:
                    return PENDING
        return await self._ordered(number, line_id)

    async def _ordered(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        failed: NumberOrder | None = None
        async for order in self.api.http.items(
            "/number_orders", (("filter[customer_reference]", mark(line_id)),)
        ):
            ordered = [words_of(n.get("phone_number")) for n in list_of(order.get("phone_numbers"))]
            if number not in ordered or order.get("customer_reference") != mark(line_id):
                continue
            match state_of(order):
                case "failure":
                    failed = NumberOrder.failed(OrderFailure.TAKEN, code_of(order.get("errors")))
                case "pending":
                    return PENDING
                case _ if self.api.now() < filled_at(order) + SHOWS_AFTER:
                    return PENDING
        return failed

    @override
    @certain
    async def release(self, ref: CarrierRef, line_id: LineId) -> None:
        """Give the number back, and the line's profile with what was asked of it: STOPs go with the line."""
        number_id = id_of(ref)
        if number_id is not None and await self._owns(ref, line_id):
            with suppress(Gone):
                await self.api.http.delete(f"/phone_numbers/{number_id}")
        if await self._held_for(line_id) is None:
            await self._profiles.removed(line_id)

    @override
    @certain
    async def held_for(self, line_id: LineId) -> HeldNumber | None:
        return await self._held_for(line_id)

    async def _held_for(self, line_id: LineId) -> HeldNumber | None:
        found = self.api.http.items("/phone_numbers", (("filter[customer_reference]", mark(line_id)),))
        async for owned in found:
            held = HeldNumber(ref_of(owned.get("id")), PhoneNumber.parse(words_of(owned.get("phone_number"))))
            if owned.get("customer_reference") == mark(line_id) and words_of(owned.get("status")) in HELD:
                return held
        return None

    @override
    @certain
    async def list_numbers(self) -> list[CarrierNumber]:
        """List our numbers, with their lines by the reference or, should somebody have changed it, by the profile."""
        profiles = {
            opaque(profile.get("id")): profile
            async for profile in self.api.http.items(
                "/messaging_profiles", most=LONGEST_INVENTORY, whole=True
            )
        }
        return [
            self._as_listed(owned, profiles.get(owned.get("messaging_profile_id") or "", {}))
            async for owned in self.api.http.items("/phone_numbers", most=LONGEST_INVENTORY, whole=True)
            if words_of(owned.get("status")) in HELD
        ]

    @override
    @certain
    async def was_ported_out(self, number: PhoneNumber) -> bool:
        """Ask what became of the wishes of other carriers (Telnyx: port-outs). Whose they are is not read."""
        wanted = (("filter[phone_number]", number), ("filter[status]", PORTED))
        async for left in self.api.http.items("/portouts", wanted):
            numbers = left.get("phone_numbers")
            if left.get("status") == PORTED and isinstance(numbers, list) and number in numbers:
                return True
        return False

    def _as_listed(self, owned: Resource, profile: Resource) -> CarrierNumber:
        webhook = profile.get("webhook_url") or ""
        return CarrierNumber(
            ref=ref_of(owned.get("id")),
            number=PhoneNumber.parse(words_of(owned.get("phone_number"))),
            line_id=line_of(owned.get("customer_reference")) or line_of(profile.get("name")),
            since=instant_of(owned.get("purchased_at") or owned.get("created_at")),
            reaches_us=isinstance(webhook, str) and webhook.startswith(f"{self.api.webhooks}?"),
        )

    @override
    async def price(self, country: Country) -> Money | None:
        """Return what the operator's setting says."""
        return self.prices.get(country)

    @override
    @certain
    async def owns(self, ref: CarrierRef, line_id: LineId) -> bool:
        return await self._owns(ref, line_id)

    async def _owns(self, ref: CarrierRef, line_id: LineId) -> bool:
        number_id = id_of(ref)
        if number_id is None:
            return False
        try:
            owned = await self.api.http.get(f"/phone_numbers/{number_id}")
        except Gone:
            return False
        if ref_of(owned.get("id")) != ref:
            raise CarrierUnavailable
        return words_of(owned.get("status")) in HELD and await self._is_for(owned, line_id)

    async def _numbers(self, number: PhoneNumber) -> AsyncIterator[Resource]:
        """Yield our numbers that are this one; Telnyx's filter takes digits, and also matches parts."""
        digits = number.removeprefix("+")
        async for owned in self.api.http.items("/phone_numbers", (("filter[phone_number]", digits),)):
            if words_of(owned.get("phone_number")) == number:
                yield owned

    async def _is_for(self, owned: Resource, line_id: LineId) -> bool:
        """Tell whose a number is: its profile names the line as well, should somebody have changed its reference."""
        if owned.get("customer_reference") == mark(line_id):
            return True
        profile_id = owned.get("messaging_profile_id")
        return bool(profile_id) and profile_id == await self._profiles.of(line_id)

    async def _can(self, owned: Resource) -> frozenset[Capability]:
        """Read what a number of ours can do, by its messaging settings and by whither its calls go."""
        settings = await self.api.http.get(f"/phone_numbers/{opaque(owned.get('id'))}/messaging")
        features = resource_of(settings.get("features"))
        able = frozenset(capability for capability in SENDS if features.get(capability.value))
        calls = bool(self.connection_id) and owned.get("connection_id") == self.connection_id
        return able | {Capability.VOICE} if calls else able


def mark(line_id: LineId) -> str:
    """Return the customer reference of a line's number and order, by which they are found again."""
    return f"pico-{line_id}"


def line_of(name: object) -> LineId | None:
    """Return the line that a mark of ours names; None for what bears none."""
    said = MARK.match(name) if isinstance(name, str) else None
    return None if said is None else LineId(UUID(said[1]))


def state_of(order: Resource) -> str:
    """Return where an order stands. Raises CarrierUnavailable for a word that is none."""
    state = words_of(order.get("status"))
    if state not in {"pending", "success", "failure"}:
        raise CarrierUnavailable
    return state


def filled_at(order: Resource) -> datetime:
    """Return when an order was filled: it may have waited for days. Raises CarrierUnavailable."""
    return instant_of(order.get("updated_at") or order.get("created_at"))


def capabilities_of(offer: Resource, wanted: frozenset[Capability]) -> frozenset[Capability]:
    """Translate the features of a number on offer, those that are of use to us."""
    able = {words_of(feature.get("name")) for feature in list_of(offer.get("features"))}
    return frozenset(capability for capability in wanted if capability.value in able)
