"""Twilio takes numbers over from other carriers (Twilio: Porting API, in public beta; United States only)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from aiohttp import FormData
from twilio.rest.numbers.v1.porting_port_in import PortingPortInList
from typing_extensions import override

from adapters.outbound.twilio.answers import certain, ref_from, words_of
from adapters.outbound.twilio.api import LONGEST_LIST, TwilioApi
from adapters.outbound.twilio.numbers import leading_to, order_of
from adapters.outbound.twilio.vocabulary import Gone
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.ports.numbers import NumberOrder
from application.ports.porting import Portability, Porting, PortingAbilities, PortProgress, PortRefused
from domain.kernel import CarrierRef, LineId
from domain.porting import PortDetails, PortRejection, PortState
from domain.values import PhoneNumber

DOCUMENTS = "https://numbers-upload.twilio.com/v1/Documents"
PORT_STATES = {
    "in review": PortState.SUBMITTED,
    "waiting for signature": PortState.AWAITING_SIGNATURE,
    "in progress": PortState.IN_PROGRESS,
    "submitted": PortState.IN_PROGRESS,
    "pending": PortState.SCHEDULED,
    "completed": PortState.COMPLETED,
    "rejected": PortState.REJECTED,
    "action required": PortState.REJECTED,
    "expired": PortState.REJECTED,
    "canceled": PortState.CANCELLED,
}
"""Twilio's words for a request and for a number in it; a word it has added since moves nothing.

"Action required" asks for details that are not kept here any more: the port is to be requested anew.
"""
REJECTIONS = {
    **dict.fromkeys((21827, 22130, 22133), PortRejection.NOT_PORTABLE),
    22137: PortRejection.UNDER_WAY,
}
"""By Twilio's code. What its codes for a losing carrier's reasons are is not documented: those are `other`."""


@dataclass(frozen=True, slots=True)
class TwilioPorting(Porting):
    """Ports numbers in; a request holds one number. The letter of authorization is mailed and signed at Twilio."""

    name: ClassVar[str] = "twilio"
    porting_abilities = PortingAbilities(can_port_in=True)

    api: TwilioApi

    @override
    @certain
    async def portability(self, number: PhoneNumber) -> Portability:
        try:
            said = await self.api.client.numbers.v1.porting_portabilities(number).fetch_async()
        except Gone:
            return Portability(portable=False)
        if not isinstance(said.portable, bool):
            raise CarrierUnavailable
        return Portability(said.portable, needs_account=said.pin_and_account_number_required is True)

    @override
    @certain
    async def keep_bill(self, bill: bytes) -> CarrierRef:
        form = FormData({"document_type": "utility_bill", "friendly_name": "bill"})
        form.add_field("File", bill, filename="bill.pdf", content_type="application/pdf")
        return ref_from((await self.api.upload(DOCUMENTS, form)).get("sid"))

    @override
    @certain
    async def submit(self, number: PhoneNumber, details: PortDetails, bill: CarrierRef) -> CarrierRef:
        who = details.subscriber
        wanted = PortingPortInList.NumbersV1PortingPortInCreate(
            {
                "account_sid": self.api.client.account_sid,
                "documents": [bill],
                "phone_numbers": [{"phone_number": number, "pin": who.pin}],
                "losing_carrier_information": {
                    "customer_type": "Business" if who.is_business else "Individual",
                    "customer_name": who.name,
                    "account_number": who.account_number,
                    "account_telephone_number": number,
                    "authorized_representative": who.signer,
                    "authorized_representative_email": who.signer_email,
                    "address": {
                        "street": who.street, "city": who.city, "state": who.region, "zip": who.postal_code,
                        "country": "US",
                    },
                },
            }
        )  # fmt: skip
        try:
            made = await self.api.client.numbers.v1.porting_port_ins.create_async(wanted)
        except CarrierRefused as refusal:
            code = refusal.provider_code
            raise PortRefused(REJECTIONS.get(code or 0, PortRejection.OTHER), code) from None
        return ref_from(made.port_in_request_sid)

    @override
    @certain
    async def find(self, number: PhoneNumber, since: datetime) -> CarrierRef | None:
        """Look through the requests that were begun since: their list does not name numbers."""
        ports = self.api.client.numbers.v1
        for listed in await ports.porting_all_port_ins.list_async(
            created_after=since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), limit=LONGEST_LIST
        ):
            ref = ref_from(listed.port_in_request_sid)
            if _number_in(await ports.porting_port_ins(ref).fetch_async(), number) is not None:
                return ref
        return None

    @override
    @certain
    async def progress(self, ref: CarrierRef, number: PhoneNumber) -> PortProgress | None:
        """Return what Twilio says of the number, and of the request where the number has not come so far."""
        try:
            port = await self.api.client.numbers.v1.porting_port_ins(ref).fetch_async()
        except Gone:
            return None
        ported = _number_in(port, number)
        if ported is None:
            return None
        whole = PORT_STATES.get(words_of(port.port_in_request_status).lower())
        single = PORT_STATES.get(str(ported.get("port_in_phone_number_status") or "").lower())
        state = (
            single if single is not None and whole not in {PortState.REJECTED, PortState.CANCELLED} else whole
        )
        if state is None:
            raise CarrierUnavailable
        expired = words_of(port.port_in_request_status).lower() == "expired"
        rejection = PortRejection.EXPIRED if expired else _rejection_of(ported)
        return PortProgress(
            state, _day_of(ported.get("port_date")), rejection if state is PortState.REJECTED else None
        )

    @override
    @certain
    async def cancel(self, ref: CarrierRef) -> None:
        try:
            await self.api.client.numbers.v1.porting_port_ins(ref).delete_async()
        except Gone:
            return

    @override
    @certain
    async def take_over(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        """Point the number's webhooks at us, and mark it as the line's, in one request."""
        for owned in await self.api.client.incoming_phone_numbers.list_async(
            phone_number=number, limit=LONGEST_LIST, page_size=self.api.page_size
        ):
            if words_of(owned.phone_number) == number:
                return order_of(await owned.update_async(**leading_to(self.api.webhooks, line_id)))
        return None


def _number_in(port: Any, number: PhoneNumber) -> dict[str, Any] | None:  # noqa: ANN401 - the SDK has no types
    """Return what a request says of this number; None where it is about others."""
    listed = port.phone_numbers if isinstance(port.phone_numbers, list) else []
    return next((n for n in listed if isinstance(n, dict) and n.get("phone_number") == number), None)


def _rejection_of(ported: dict[str, Any]) -> PortRejection:
    code = ported.get("not_portability_reason_code")
    return REJECTIONS.get(code, PortRejection.OTHER) if isinstance(code, int) else PortRejection.OTHER


def _day_of(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
