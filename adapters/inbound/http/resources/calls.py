"""Calls: list, read, delete, have one made; how an app calls, and where a line forwards to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import Examples
from typing_extensions import TypedDict

import domain.calls
from adapters.inbound.http.guards import Bearer, Idempotent
from adapters.inbound.http.input import Input, Paged
from adapters.inbound.http.json_format import id_cursor
from adapters.inbound.http.params import APeer, APhoneNumber, MaybeId, MaybeLine, Text
from adapters.inbound.http.reply import Id, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.resources.lines import Line, line
from adapters.inbound.http.route import Route
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable, CarrierUnsupported
from application.ports.limits import LimitsUnavailable
from domain.blocked_numbers import NumberBlocked
from domain.calls import CallDirection, CallOutcome
from domain.destinations import EmergencyNumber, UnreachableNumber
from domain.forwarding import ForwardingLoop, ForwardWhen
from domain.idempotency import IdempotencyMismatch
from domain.kernel import CallId, LineId
from domain.lines import LineNotActive, NotForCalls
from domain.spend import DestinationNotAllowed, SendingPaused, SpendLimited


class CallPage(Paged):
    """A page of calls, of one line or of all, with one other side or with everybody."""

    line_id: MaybeLine = None
    peer: APeer | None = None
    cursor: MaybeId = None


class NewCall(Input):
    """Whom to call: anybody, or the line itself, to say its greeting."""

    to: APhoneNumber


class Forwarding(Input):
    """The telephone to which calls go on, and when."""

    to: APhoneNumber
    when: Annotated[
        list[Annotated[ForwardWhen, Text(ForwardWhen, {"enum": list(ForwardWhen)})]],
        Field(min_length=1, max_length=len(ForwardWhen), examples=[["busy", "no_answer"]]),
    ]


class Call(TypedDict):
    """A call. `peer` is null where the number is withheld, or was damaged."""

    id: Id
    line_id: Id
    direction: Annotated[str, SpelledOut(CallDirection)]
    outcome: Annotated[str, SpelledOut(CallOutcome), Examples(["answered"])]
    peer: str | None
    duration: int
    started_at: datetime
    ended_at: datetime | None


class Calls(TypedDict):
    """A page of calls; `next_cursor` leads to the rest, null at the end."""

    items: list[Call]
    next_cursor: str | None


class VoiceToken(TypedDict):
    """What an app shows the carrier, and the name under which it is rung. The token cannot be taken back."""

    token: str
    identity: str
    expires_at: datetime


def call(of: domain.calls.Call) -> Call:
    """Show a call."""
    return {
        "id": str(of.id),
        "line_id": str(of.line_id),
        "direction": str(of.direction),
        "outcome": str(of.outcome),
        "peer": of.peer,
        "duration": of.talked_for,
        "started_at": of.started_at,
        "ended_at": of.ended_at,
    }


async def list_calls(request: Request[CallPage]) -> Calls:
    """List calls, newest first. Of a call nothing else is kept than what is shown."""
    wanted = request.input
    cursor = None if wanted.cursor is None else CallId(wanted.cursor)
    page = await request.use_cases.list_calls(
        request.account_id, wanted.line_id, wanted.peer, cursor, wanted.limit
    )
    return {
        "items": [call(one) for one in page.items],
        "next_cursor": id_cursor(page.next) if page.next else None,
    }


async def read_call(request: Request[None], call_id: CallId) -> Call:
    """Read one call."""
    return call(await request.use_cases.read_call(request.account_id, call_id))


async def delete_call(request: Request[None], call_id: CallId) -> None:
    """Delete a call; the carrier's record of it goes too. One that is going on goes on."""
    await request.use_cases.delete_call(request.account_id, call_id)


async def place_call(request: Request[NewCall], line_id: LineId) -> Call:
    """Call somebody: the line's apps ring, and once one of them answers the other side is called, from the line.

    To the line's own number nobody else is called: whoever answers in the app says what callers are to hear, for a minute
    at most, and once that is here whole it is the line's greeting. Who hangs up without a word leaves the one before.

    Emergency calls are not possible. An app may also call by itself, its own line too, with a voice token.
    """
    placed = await request.use_cases.place_call(request.account_id, line_id, request.input.to, request.key)
    request.replayed(yes=placed.repeated)
    return call(placed.call)


async def issue_voice_token(request: Request[None], line_id: LineId) -> VoiceToken:
    """Get a token with which an app calls and is called as this line, for an hour. It holds nothing personal.

    An app that is refused hears why: emergency calls are not possible, nor calls to numbers that cost extra.
    """
    identity, made = await request.use_cases.issue_voice_token(request.account_id, line_id)
    return {"token": made.token, "identity": str(identity), "expires_at": made.expires_at}


async def forward_line(request: Request[Forwarding], line_id: LineId) -> Line:
    """Have a line's calls go on to another telephone. Whoever answers there presses a key to take the call.

    Without the key the caller comes back to the line's own voicemail: no other mailbox ever takes the call.
    """
    wanted = request.input
    return line(
        await request.use_cases.forward_line(request.account_id, line_id, wanted.to, frozenset(wanted.when))
    )


async def stop_forwarding(request: Request[None], line_id: LineId) -> Line:
    """Have a line's calls go on to no other telephone."""
    return line(await request.use_cases.stop_forwarding(request.account_id, line_id))


CALL = "/v1/calls/{id}"
ONCE = (Bearer(), Idempotent())
NOT_THERE = (LineNotActive, NotForCalls, EmergencyNumber, UnreachableNumber, DestinationNotAllowed)
PLACING = (
    *NOT_THERE, NumberBlocked, SpendLimited, SendingPaused, LimitsUnavailable, IdempotencyMismatch, CarrierRefused,
    CarrierUnavailable,
)  # fmt: skip
TOKENS = (LineNotActive, NotForCalls, CarrierUnsupported, CarrierRefused, CarrierUnavailable)

# ruff: noqa: E501 - a route is a line, however long
# fmt: off
ROUTES = (
    Route("GET", "/v1/calls", list_calls, 200, query=CallPage),
    Route("GET", "/v1/calls/{call_id:uuid}", read_call, 200),
    Route("DELETE", "/v1/calls/{call_id:uuid}", delete_call, 204),
    Route("POST", "/v1/lines/{line_id:uuid}/calls", place_call, 202, body=NewCall, guards=ONCE, raises=PLACING, location=CALL),
    Route("POST", "/v1/lines/{line_id:uuid}/voice-tokens", issue_voice_token, 200, raises=TOKENS),
    Route("PUT", "/v1/lines/{line_id:uuid}/forwarding", forward_line, 200, body=Forwarding, raises=(*NOT_THERE, ForwardingLoop)),
    Route("DELETE", "/v1/lines/{line_id:uuid}/forwarding", stop_forwarding, 200),
)
# fmt: on
