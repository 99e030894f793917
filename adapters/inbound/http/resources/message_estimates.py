"""What a message would come to: its alphabet and its segments, before it is sent."""

from __future__ import annotations

from typing import Annotated

from typing_extensions import TypedDict

from adapters.inbound.http.input import Input
from adapters.inbound.http.params import NO_NUL, Text
from adapters.inbound.http.reply import SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from domain.segments import Encoding, segments_of
from domain.values import MessageBody

AnyBody = Annotated[MessageBody, Text(MessageBody, NO_NUL)]


class DraftMessage(Input):
    """What somebody is about to send; it may be longer than what is sent. Nothing of it is kept."""

    body: AnyBody


class MessageEstimate(TypedDict):
    """How a message travels, without pictures: with them it is not cut. It is sent if it is not empty and `fits`."""

    encoding: Annotated[str, SpelledOut(Encoding)]
    segments: int
    units: int
    units_left: int
    characters: int
    characters_at_most: int
    fits: bool


async def estimate_message(request: Request[DraftMessage]) -> MessageEstimate:
    """Count the segments of a message before it is sent. Nothing is kept, and nothing is sent."""
    body = request.input.body
    segments = segments_of(body)
    return {
        "encoding": segments.encoding,
        "segments": segments.count,
        "units": segments.units,
        "units_left": segments.units_left,
        "characters": body.length,
        "characters_at_most": MessageBody.LIMIT,
        "fits": body.fits,
    }


ROUTES = (Route("POST", "/v1/message-estimates", estimate_message, 200, body=DraftMessage),)
