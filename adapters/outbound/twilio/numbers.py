"""Twilio as our provider of numbers. Its orders are decided at once (Twilio: IncomingPhoneNumbers resource)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from typing_extensions import override

from adapters.outbound.twilio.answers import certain, instant_of, ref_of, words_of
from adapters.outbound.twilio.api import LONGEST_LIST, RETRIES, TwilioApi
from adapters.outbound.twilio.vocabulary import Gone, NotForSale
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.ports.numbers import (
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
LARGEST_SEARCH = 1000
LONGEST_INVENTORY = 100_000
"""Numbers that are listed, or none are."""
IN_USE = "in-use"
A_LINE = "([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
MARK, MARKED_URL = re.compile(rf"pico-{A_LINE}\Z"), re.compile(rf"\?line={A_LINE}(?![0-9a-f-])")
NOTHING_FITS = frozenset({20404, 21451, 21452})
"""Codes that answer a search in a country, kind or area that Twilio does not serve."""


@dataclass(frozen=True, slots=True)
class TwilioNumbers(NumberProvider):
    """Buys, lists and releases numbers; a Twilio SID is a CarrierRef."""

    name: ClassVar[str] = "twilio"
    number_abilities = NumberAbilities(has_area_codes=True, can_list=True, has_line_webhooks=True)

    api: TwilioApi
    prices: Mapping[Country, Money] = field(default_factory=dict)
    """What the operator pays for a number a month, by country: Twilio's own answers about numbers name no price."""

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
        """Return numbers on offer that need no address on file. Area codes exist in North America only."""
        if not re.fullmatch("[A-Z]{2}", country) or (area_code and country not in NORTH_AMERICA):
            return []
        offers = self.api.client.available_phone_numbers(country)
        asked: dict[str, Any] = {f"{capability}_enabled": True for capability in capabilities}
        asked |= {"area_code": area_code} if area_code else {}
        asked |= {"contains": contains} if contains else {}
        found: list[AvailableNumber] = []
        # Outside North America messages go with mobile numbers; local ones seldom carry them.
        for kind in (offers.local,) if country in NORTH_AMERICA else (offers.mobile, offers.local):
            if len(found) < limit:
                page = await self._offers(kind, min(limit, LARGEST_SEARCH), asked)
                found += [
                    AvailableNumber(
                        PhoneNumber.parse(words_of(n.phone_number)),
                        country,
                        capabilities_of(n.capabilities),
                        self.prices.get(country),
                    )
                    for n in page
                ]
        return found[:limit]

    async def _offers(self, kind: Any, limit: int, asked: Mapping[str, Any]) -> list[Any]:  # noqa: ANN401 - the SDK has no types
        try:
            return list(await kind.list_async(exclude_all_address_required=True, limit=limit, **asked))
        except CarrierRefused as refusal:
            if refusal.provider_code not in NOTHING_FITS:
                raise
            return []

    @override
    @certain
    async def order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder:
        """Buy with the webhook in the same request, so that no message is lost, and our line in the friendly name."""
        try:
            return order_of(
                await self.api.client.incoming_phone_numbers.create_async(
                    phone_number=number, **leading_to(self.api.webhooks, line_id)
                )
            )
        except NotForSale as refusal:
            return NumberOrder.failed(OrderFailure.TAKEN, refusal.provider_code)
        except CarrierRefused as refusal:
            return NumberOrder.failed(OrderFailure.REFUSED, refusal.provider_code)

    @override
    @certain
    async def find_order(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        """List our numbers by this one; Twilio's filter also matches parts, so compare. Refusals leave no trace."""
        for owned in await self.api.client.incoming_phone_numbers.list_async(
            phone_number=number, limit=LONGEST_LIST, page_size=self.api.page_size
        ):
            order = order_of(owned)
            if words_of(owned.phone_number) == number and is_held_for(owned, line_id):
                return order
        return None

    @override
    @certain
    async def release(self, ref: CarrierRef, line_id: LineId) -> None:
        if not await self.owns(ref, line_id):
            return
        with suppress(Gone):
            await self.api.client.incoming_phone_numbers(ref).delete_async()

    @override
    @certain
    async def held_for(self, line_id: LineId) -> HeldNumber | None:
        for owned in await self.api.client.incoming_phone_numbers.list_async(
            friendly_name=mark(line_id), limit=LONGEST_LIST, page_size=self.api.page_size
        ):
            held = HeldNumber(ref_of(owned), PhoneNumber.parse(words_of(owned.phone_number)))
            if is_held_for(owned, line_id):
                return held
        return None

    @override
    @certain
    async def list_numbers(self) -> list[CarrierNumber]:
        """List by the mark in the friendly name, and by the webhook should somebody have renamed it by hand."""
        listed = await self.api.client.incoming_phone_numbers.list_async(
            limit=LONGEST_INVENTORY, page_size=self.api.page_size
        )
        if len(listed) == LONGEST_INVENTORY:
            raise CarrierUnavailable  # cut off: what is beyond would be taken for lost
        return [self._as_listed(owned) for owned in listed]

    def _as_listed(self, owned: Any) -> CarrierNumber:  # noqa: ANN401 - the SDK has no types
        return CarrierNumber(
            ref=ref_of(owned),
            number=PhoneNumber.parse(words_of(owned.phone_number)),
            line_id=line_of(owned),
            since=instant_of(owned.date_created),
            reaches_us=words_of(owned.sms_url or "").startswith(f"{self.api.webhooks}/"),
            is_suspended=words_of(owned.status or IN_USE) != IN_USE,
        )

    @override
    async def price(self, country: Country) -> Money | None:
        """Return what the operator's setting says."""
        return self.prices.get(country)

    @override
    @certain
    async def owns(self, ref: CarrierRef, line_id: LineId) -> bool:
        try:
            owned = await self.api.client.incoming_phone_numbers(ref).fetch_async()
        except Gone:
            return False
        if ref_of(owned) != ref:
            raise CarrierUnavailable
        return is_held_for(owned, line_id)


def mark(line_id: LineId) -> str:
    """Return a number's friendly name, which names the line: by it an order with a lost answer is found again."""
    return f"pico-{line_id}"


def leading_to(webhooks: str, line_id: LineId) -> dict[str, str]:
    """Return what makes a number a line's: its mark, and where its webhooks lead."""
    return {
        "friendly_name": mark(line_id),
        "sms_url": f"{webhooks}/sms?line={line_id}{RETRIES}",
        "sms_method": "POST",
        "voice_url": f"{webhooks}/voice?line={line_id}{RETRIES}",
        "voice_method": "POST",
        "status_callback": f"{webhooks}/voice/status?line={line_id}{RETRIES}",
        "status_callback_method": "POST",
    }


def is_held_for(resource: Any, line_id: LineId) -> bool:  # noqa: ANN401 - the SDK has no types
    """Tell whose an owned number is: its webhook names the line as well, should somebody have renamed it by hand."""
    marked = words_of(resource.friendly_name) == mark(line_id)
    return marked or f"?line={line_id}" in words_of(resource.sms_url or "")


def line_of(resource: Any) -> LineId | None:  # noqa: ANN401 - the SDK has no types
    """Return the line that an owned number was bought for; None where it bears no mark of ours."""
    said = MARK.match(words_of(resource.friendly_name)) or MARKED_URL.search(words_of(resource.sms_url or ""))
    return None if said is None else LineId(UUID(said[1]))


def order_of(resource: Any) -> NumberOrder:  # noqa: ANN401 - the SDK has no types
    """Translate an owned number."""
    return NumberOrder.active(ref_of(resource), capabilities_of(resource.capabilities))


def capabilities_of(flags: Mapping[str, bool] | None) -> frozenset[Capability]:
    """Translate capability flags, whose keys come as `sms` or `SMS`."""
    able = {name.lower() for name, flag in (flags or {}).items() if flag}
    return frozenset(capability for capability in Capability if capability.value in able)
