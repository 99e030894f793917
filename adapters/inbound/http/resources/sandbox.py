"""What exists only in the Sandbox: move the clock, read the mails, play the carrier."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue
from pydantic.json_schema import Examples
from typing_extensions import TypedDict

from adapters.inbound.http.context import Sandbox
from adapters.inbound.http.input import Input
from adapters.inbound.http.params import ADuration, AnIncomingBody, APeer, APhoneNumber, MaybeLabel, Text
from adapters.inbound.http.problems import Flaw, InvalidInput
from adapters.inbound.http.reply import Json, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import OPEN, Route
from application.ports.mail import MailKind
from domain.kernel import NotFound


class ClockAdvance(Input):
    """How far to move the Sandbox's clock."""

    advance: ADuration


class IncomingMessage(Input):
    """A message that somebody sends to one of our numbers."""

    sender: APeer = Field(alias="from")
    to: APhoneNumber = Field(examples=["+12025550143"])
    body: AnIncomingBody
    picture: MaybeLabel = None


class CallEnd(StrEnum):
    """What becomes of whatever is rung for a call."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    MACHINE = "machine"
    """A mailbox takes the call, and presses no key."""
    HANG_UP = "hang_up"
    """Whoever calls gives up while it rings."""


class PlayedCall(Input):
    """A call that somebody makes to one of our numbers. `voicemail` is what they say where a message is taken."""

    caller: APeer = Field(alias="from")
    to: APhoneNumber = Field(examples=["+12025550143"])
    outcome: Annotated[CallEnd, Text(CallEnd, {"enum": list(CallEnd), "examples": ["no_answer"]})]
    voicemail: MaybeLabel = None


class Faults(Input):
    """How the simulated providers shall misbehave, by knob."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [{"outage": False}]})

    __pydantic_extra__: dict[str, JsonValue]


class Clock(TypedDict):
    """The Sandbox's present."""

    now: datetime


class StoredMail(TypedDict):
    """A mail that the Sandbox did not send."""

    to: Annotated[str, Examples(["ada@example.org"])]
    kind: Annotated[str, SpelledOut(MailKind)]
    locale: str
    token: str | None
    at: datetime
    subject: Annotated[str, Examples(["You have an account"])]
    body: Annotated[str, Field(description="What the mail says.", examples=["Somebody tried to sign up."])]
    link: Annotated[str, Examples(["http://127.0.0.1:8080/docs#/sessions/sign_in"])]


class Mails(TypedDict):
    """The mails that the Sandbox did not send."""

    items: list[StoredMail]
    next_cursor: None


class CallPlayed(TypedDict):
    """The simulated carrier's reference of the call."""

    ref: str


class MessageAccepted(TypedDict):
    """The simulated carrier's reference of the message."""

    ref: str


Knobs = Annotated[Json, Examples([{"outage": False, "duplicate": 0}])]
Holdings = Annotated[
    Json,
    Examples([{"carrier": {"numbers": [], "messages": [], "opted_out": []}, "push": {"apns": 0, "fcm": 0}}]),
]


def controls(request: Request[Any]) -> Sandbox:
    """Return the Sandbox: these routes are mounted only where there is one."""
    if request.context.sandbox is None:
        raise LookupError
    return request.context.sandbox


def stored_mail(of: Mapping[str, Any]) -> StoredMail:
    """Show a mail."""
    return {
        "to": of["to"],
        "kind": of["kind"],
        "locale": of["locale"],
        "token": of["token"],
        "at": of["at"],
        "subject": of["subject"],
        "body": of["body"],
        "link": of["link"],
    }


async def read_clock(request: Request[None]) -> Clock:
    """Read the Sandbox's clock."""
    return {"now": controls(request).now()}


async def advance_clock(request: Request[ClockAdvance]) -> Clock:
    """Move the clock forward; everything due on the way happens."""
    try:
        return {"now": await controls(request).advance(request.input.advance)}
    except OverflowError:
        raise InvalidInput(Flaw("/advance", "out_of_range")) from None


async def list_mails(request: Request[None]) -> Mails:
    """Read the mails that would have been sent, oldest first."""
    return {"items": [stored_mail(mail) for mail in await controls(request).mails()], "next_cursor": None}


async def receive_message(request: Request[IncomingMessage]) -> MessageAccepted:
    """Send a message to one of our numbers, as somebody outside."""
    incoming = request.input
    try:
        return {
            "ref": await controls(request).sms(incoming.sender, incoming.to, incoming.body, incoming.picture)
        }
    except LookupError:
        raise InvalidInput(Flaw("/to", "not_our_number")) from None


async def play_call(request: Request[PlayedCall]) -> CallPlayed:
    """Call one of our numbers, as somebody outside; it is over when this answers. The voicemail is a tone."""
    played = request.input
    try:
        return {
            "ref": await controls(request).call(
                played.caller, played.to, str(played.outcome), played.voicemail
            )
        }
    except LookupError:
        raise InvalidInput(Flaw("/to", "not_our_number")) from None


async def complete_checkout(request: Request[None], checkout_id: UUID) -> None:
    """Pay on a page that was opened, as its person. Stripe's webhook tells of it a moment later."""
    try:
        controls(request).complete_checkout(checkout_id)
    except LookupError:
        raise NotFound from None


async def set_faults(request: Request[Faults]) -> Knobs:
    """Make the simulated providers misbehave."""
    try:
        return controls(request).faults(request.input.model_dump())
    except ValueError:
        raise InvalidInput(Flaw("", "unknown_fault")) from None


async def read_providers(request: Request[None]) -> Holdings:
    """See what each simulated provider still holds, and how often each push service woke a device."""
    return controls(request).providers()


ROUTES = (
    Route("GET", "/sandbox/clock", read_clock, 200, guards=OPEN),
    Route("POST", "/sandbox/clock", advance_clock, 200, body=ClockAdvance, guards=OPEN),
    Route("GET", "/sandbox/mails", list_mails, 200, guards=OPEN),
    Route("POST", "/sandbox/sms", receive_message, 202, body=IncomingMessage, guards=OPEN),
    Route("POST", "/sandbox/calls", play_call, 202, body=PlayedCall, guards=OPEN),
    Route("POST", "/sandbox/checkout/{checkout_id:uuid}/complete", complete_checkout, 204, guards=OPEN),
    Route("POST", "/sandbox/faults", set_faults, 200, body=Faults, guards=OPEN),
    Route("GET", "/sandbox/providers", read_providers, 200, guards=OPEN),
)
