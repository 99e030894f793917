"""Phone lines: find a number, lease it, label it, release it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic.json_schema import Examples
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

import application.ports.numbers
from adapters.inbound.http.guards import VERSION, Bearer, Conditional, Idempotent
from adapters.inbound.http.input import Change, Input, Paged
from adapters.inbound.http.json_format import id_cursor
from adapters.inbound.http.params import (
    ACountry,
    ACurrency,
    ALabel,
    AnAmount,
    AnAreaCode,
    AnEndOfHours,
    APattern,
    APhoneNumber,
    ATimeOfDay,
    ATimeZone,
    MaybeLinePlace,
    MaybeState,
    SomeCapabilities,
)
from adapters.inbound.http.reply import Answer, Id, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from application.line_settings import UNSAID, LineSettings
from application.ports.carrier_errors import CarrierUnavailable
from domain.accounts import AccountRestricted, PendingDeletion
from domain.billing import NotSubscribed
from domain.entitlements import CountryNotInPlan, LineLimitReached
from domain.forwarding import ForwardWhen
from domain.idempotency import IdempotencyMismatch
from domain.kernel import LineId
from domain.lines import LineNotActive, LineState, NoCountry, NumberTaken, PhoneLine, PriceChanged
from domain.money import Money
from domain.quiet_hours import NoQuietHours, QuietHours
from domain.requests import Pace
from domain.values import Capability

Capabilities = list[Annotated[str, SpelledOut(Capability)]]


class NumberSearch(Paged):
    """What kind of number to look for."""

    country: ACountry
    area_code: AnAreaCode = None
    contains: APattern = None
    capabilities: SomeCapabilities = Field(default_factory=frozenset)


class Price(Input):
    """The price that was shown: at another one nothing is bought."""

    amount: AnAmount
    currency: ACurrency


class Purchase(Input):
    """The number to lease."""

    number: APhoneNumber
    label: ALabel | None = None
    price: Price | None = None


class QuietTimes(Input):
    """Hours of each day, by the clocks of a time zone; they end on the next day where that is the earlier time."""

    starts: ATimeOfDay
    ends: AnEndOfHours
    time_zone: ATimeZone

    @model_validator(mode="after")
    def _must_take_time(self) -> Self:
        try:
            self.hours()
        except NoQuietHours as refusal:
            raise PydanticCustomError(refusal.code, "refused") from None
        return self

    def hours(self) -> QuietHours:
        """Return them as the line keeps them."""
        return QuietHours.of(self.starts, self.ends, self.time_zone)


class LineChange(Change):
    """What to change: something, at least. Null takes it away; a field left out stays as it is."""

    label: ALabel | None = None
    do_not_disturb: QuietTimes | None = None


class LinePage(Paged):
    """A page of lines, of one state or of all."""

    state: MaybeState = None
    cursor: MaybeLinePlace = None


class MonthlyPrice(TypedDict):
    """What a number costs a month."""

    amount: int
    currency: str


class AvailableNumber(TypedDict):
    """A number on offer; it is not held until it is bought."""

    number: str
    country: str
    capabilities: Capabilities
    price: MonthlyPrice | None


class AvailableNumbers(TypedDict):
    """Some numbers on offer."""

    items: list[AvailableNumber]
    next_cursor: None


class DoNotDisturb(TypedDict):
    """When a line does not disturb: hours of each day, by the clocks of a time zone."""

    starts: str
    ends: str
    time_zone: str


class Line(TypedDict):
    """A lease on a number. `number` is null when it was damaged and cannot be read."""

    id: Id
    number: str | None
    country: str
    capabilities: Capabilities
    label: str | None
    do_not_disturb: DoNotDisturb | None
    state: Annotated[str, SpelledOut(LineState), Examples(["active"])]
    forward_to: str | None
    forward_when: list[Annotated[str, SpelledOut(ForwardWhen)]]
    created_at: datetime
    release_at: datetime | None
    released_at: datetime | None


class Lines(TypedDict):
    """A page of lines; `next_cursor` leads to the rest, null at the end."""

    items: list[Line]
    next_cursor: str | None


def offer(of: application.ports.numbers.AvailableNumber) -> AvailableNumber:
    """Show a number on offer."""
    return {
        "number": str(of.number),
        "country": str(of.country),
        "capabilities": sorted(map(str, of.capabilities)),
        "price": None if of.price is None else {"amount": of.price.amount, "currency": of.price.currency},
    }


def quiet_times(of: QuietHours | None) -> DoNotDisturb | None:
    """Show the hours in which a line does not disturb."""
    return None if of is None else {"starts": of.starts, "ends": of.ends, "time_zone": of.time_zone}


def line(of: PhoneLine) -> Line:
    """Show a line."""
    return {
        "id": str(of.id),
        "number": of.number,
        "country": str(of.country),
        "capabilities": sorted(map(str, of.capabilities)),
        "label": of.label,
        "do_not_disturb": quiet_times(of.do_not_disturb),
        "state": str(of.state),
        "forward_to": of.forward_to,
        "forward_when": sorted(map(str, of.forward_when)),
        "created_at": of.created_at,
        "release_at": of.release_at,
        "released_at": of.released_at,
    }


async def search_numbers(request: Request[NumberSearch]) -> AvailableNumbers:
    """Find numbers on offer."""
    wanted = request.input
    found = await request.use_cases.search_numbers(
        wanted.country, wanted.area_code, wanted.contains, wanted.capabilities
    )
    return {"items": [offer(one) for one in found[: wanted.limit]], "next_cursor": None}


async def buy_line(request: Request[Purchase]) -> Answer[Line]:
    """Lease a number. While the carrier has not decided, it is 202 and the line's state `ordering`.

    Repeating it with the same key orders nothing, and answers the line as it is now.
    """
    wanted = request.input
    price = None if wanted.price is None else Money(wanted.price.amount, wanted.price.currency)
    bought = await request.use_cases.buy_line(
        request.account_id, wanted.number, wanted.label, request.key, price
    )
    request.replayed(yes=bought.repeated)
    return Answer(line(bought.line), status=202 if bought.line.is_ordering else None)


async def list_lines(request: Request[LinePage]) -> Lines:
    """List lines, newest first: all, released ones too, or those of one state."""
    wanted = request.input
    page = await request.use_cases.list_lines(request.account_id, wanted.state, wanted.cursor, wanted.limit)
    return {
        "items": [line(one) for one in page.items],
        "next_cursor": id_cursor(page.next) if page.next else None,
    }


async def read_line(request: Request[None], line_id: LineId) -> Line:
    """Read one line."""
    found = await request.use_cases.read_line(request.account_id, line_id)
    request.show_version(found.version)
    return line(found)


async def change_line(request: Request[LineChange], line_id: LineId) -> Line:
    """Change a line's label, or when it does not disturb.

    In those hours what comes in is kept, no device is woken for it, and calls go to voicemail. From `00:00` to `24:00`
    is always.
    """
    wanted, given = request.input, request.input.model_fields_set
    hours = wanted.do_not_disturb
    settings = LineSettings(
        wanted.label if "label" in given else UNSAID,
        (None if hours is None else hours.hours()) if "do_not_disturb" in given else UNSAID,
    )
    changed = await request.use_cases.change_line(request.account_id, line_id, settings, request.versions)
    request.show_version(changed.version)
    return line(changed)


async def release_line(request: Request[None], line_id: LineId) -> Line:
    """Release a number. It refuses messages at once, and may be taken back until `release_at`.

    Then it goes back to the carrier, and the state is `released` when the carrier confirms.
    """
    return line(await request.use_cases.release_line(request.account_id, line_id))


async def cancel_release(request: Request[None], line_id: LineId) -> Line:
    """Take a number back that was given up and has not gone back to the carrier."""
    return line(await request.use_cases.cancel_release(request.account_id, line_id))


LINE = "/v1/lines/{id}"
CORRECTING = (Bearer(), Conditional())
ONCE = (Bearer(), Idempotent())
BUYING = (
    AccountRestricted, CarrierUnavailable, CountryNotInPlan, IdempotencyMismatch, LineLimitReached, NoCountry,
    NumberTaken, PendingDeletion, PriceChanged,
)  # fmt: skip

TAKING_BACK = (LineNotActive, NotSubscribed, PendingDeletion)

# fmt: off
ROUTES = (
    Route("GET", "/v1/available-numbers", search_numbers, 200, query=NumberSearch, raises=(CarrierUnavailable,),
          pace=Pace.HEAVY),
    Route("POST", "/v1/lines", buy_line, 201, body=Purchase, guards=ONCE, raises=BUYING, pending=202, location=LINE,
          pace=Pace.PURCHASE),
    Route("GET", "/v1/lines", list_lines, 200, query=LinePage),
    Route("GET", "/v1/lines/{line_id:uuid}", read_line, 200, headers={"ETag": VERSION}),
    Route("PATCH", "/v1/lines/{line_id:uuid}", change_line, 200, body=LineChange, guards=CORRECTING),
    Route("DELETE", "/v1/lines/{line_id:uuid}", release_line, 202, raises=(LineNotActive,), location=LINE),
    Route("DELETE", "/v1/lines/{line_id:uuid}/release", cancel_release, 200, raises=TAKING_BACK),
)
# fmt: on
