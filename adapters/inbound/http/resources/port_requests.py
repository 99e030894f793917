"""Port requests: numbers that a person brings along from another carrier."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import Examples
from typing_extensions import TypedDict

from adapters.inbound.http.guards import Bearer, Idempotent
from adapters.inbound.http.input import Input, Paged, page_of
from adapters.inbound.http.params import UNSEEN, AnEmail, APhoneNumber, MaybeId, MaybeTrue, Text
from adapters.inbound.http.reply import Id, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from adapters.inbound.http.upload import Upload
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable, CarrierUnsupported
from domain.accounts import AccountRestricted, PendingDeletion
from domain.entitlements import CountryNotInPlan, LineLimitReached
from domain.idempotency import IdempotencyMismatch
from domain.lines import NoCountry
from domain.porting import (
    LARGEST_BILL,
    NotABill,
    NumberNotPortable,
    PortAccountMissing,
    PortNotADraft,
    PortOver,
    PortRejection,
    PortRequestId,
    PortState,
    PortText,
    PortUnderWay,
    Subscriber,
    TooManyPorts,
)
from domain.porting import PortRequest as Ported
from domain.requests import Pace

SHAPE = rf"^[^{UNSEEN}\s]([^{UNSEEN}]*[^{UNSEEN}\s])?$"
SOME_TEXT = Text(PortText.parse, {"minLength": 1, "maxLength": PortText.LONGEST, "pattern": SHAPE})
BILL = Upload(("application/pdf",), LARGEST_BILL, "%PDF-1.7")

APortText = Annotated[PortText, SOME_TEXT]
MaybePortText = Annotated[PortText | None, SOME_TEXT]


class PortRequestPage(Paged):
    """A page of port requests."""

    cursor: MaybeId = None


class NewPortRequest(Input):
    """The number, and what its present carrier knows of the subscriber: to the letter, or the carrier will refuse.

    Account number and PIN are those at that carrier; numbers of mobile networks need them.
    """

    number: Annotated[APhoneNumber, Field(examples=["+16175550101"])]
    is_business: MaybeTrue = None
    subscriber_name: APortText
    signer_name: APortText
    signer_email: AnEmail
    street: APortText
    city: APortText
    region: APortText
    postal_code: APortText
    account_number: MaybePortText = None
    pin: MaybePortText = None


class PortRequest(TypedDict):
    """A number on its way. `number` is null where it was damaged and cannot be read."""

    id: Id
    number: str | None
    state: Annotated[str, SpelledOut(PortState)]
    rejection: Annotated[str, SpelledOut(PortRejection)] | None
    port_at: datetime | None
    line_id: Id | None
    cancel_asked_at: datetime | None
    created_at: datetime
    ended_at: Annotated[datetime | None, Examples([None])]


class PortRequests(TypedDict):
    """A page of port requests; `next_cursor` leads to the rest, null at the end."""

    items: list[PortRequest]
    next_cursor: str | None


def port_request(of: Ported) -> PortRequest:
    """Show a request, without what the former carrier is told."""
    return {
        "id": str(of.id),
        "number": of.number,
        "state": of.state.value,
        "rejection": of.rejection and of.rejection.value,
        "port_at": of.port_at,
        "line_id": str(of.line_id) if of.state is PortState.COMPLETED else None,
        "cancel_asked_at": of.cancel_asked_at,
        "created_at": of.created_at,
        "ended_at": of.ended_at,
    }


async def request_port(request: Request[NewPortRequest]) -> PortRequest:
    """Bring a number along from another carrier. It begins as a draft, for which the bill is to be uploaded.

    Then the signer gets a letter by mail to sign, the other carrier is asked, and a day is fixed; once the number is
    here it is a line. What the other carrier is told is kept until it is handed on, seven days at most.
    """
    wanted = request.input
    subscriber = Subscriber(
        is_business=bool(wanted.is_business), name=wanted.subscriber_name, signer=wanted.signer_name,
        signer_email=wanted.signer_email, street=wanted.street, city=wanted.city, region=wanted.region,
        postal_code=wanted.postal_code, account_number=wanted.account_number, pin=wanted.pin,
    )  # fmt: skip
    made = await request.use_cases.request_port(request.account_id, wanted.number, subscriber, request.key)
    request.replayed(yes=made.repeated)
    return port_request(made.port)


async def list_port_requests(request: Request[PortRequestPage]) -> PortRequests:
    """List the numbers that were brought along, or are to be, newest first."""
    found = await request.use_cases.list_ports(request.account_id)
    page, more = page_of(found, request.input.cursor, request.input.limit)
    return {"items": [port_request(one) for one in page], "next_cursor": more}


async def read_port_request(request: Request[None], port_request_id: PortRequestId) -> PortRequest:
    """Read one of them."""
    return port_request(await request.use_cases.read_port(request.account_id, port_request_id))


async def upload_bill(request: Request[None], port_request_id: PortRequestId) -> PortRequest:
    """Upload the bill that shows whose the number is: a PDF file, with name and address, of the last 30 days.

    It is passed on to the carrier and not kept here. With it the request is complete, and goes to the carrier.
    """
    return port_request(
        await request.use_cases.prove_port(request.account_id, port_request_id, request.upload)
    )


async def cancel_port_request(request: Request[None], port_request_id: PortRequestId) -> PortRequest:
    """Cancel it. Once the carrier has it, this only asks: shortly before its day the number may come all the same."""
    return port_request(await request.use_cases.cancel_port(request.account_id, port_request_id))


ONE = "/v1/port-requests/{port_request_id:uuid}"
ONCE = (Bearer(), Idempotent())
ASKED = (CarrierUnavailable, CarrierUnsupported)
REQUESTING = (
    PendingDeletion, AccountRestricted, NoCountry, CountryNotInPlan, NumberNotPortable, PortAccountMissing,
    PortUnderWay, TooManyPorts, LineLimitReached, IdempotencyMismatch, *ASKED,
)  # fmt: skip
PROVING = (PortNotADraft, NotABill, CarrierRefused, *ASKED)

# fmt: off
ROUTES = (
    Route("POST", "/v1/port-requests", request_port, 201, body=NewPortRequest, guards=ONCE, raises=REQUESTING,
          location="/v1/port-requests/{id}", pace=Pace.HEAVY),
    Route("GET", "/v1/port-requests", list_port_requests, 200, query=PortRequestPage),
    Route("GET", ONE, read_port_request, 200),
    Route("PUT", f"{ONE}/bill", upload_bill, 200, upload=BILL, raises=PROVING, pace=Pace.HEAVY),
    Route("DELETE", ONE, cancel_port_request, 200, raises=(PortOver,), pace=Pace.HEAVY),
)
# fmt: on
