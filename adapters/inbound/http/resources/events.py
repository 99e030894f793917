"""Live events: what happens in the account, told as it does, by ids only."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic.json_schema import Examples
from typing_extensions import TypedDict

from adapters.inbound.http.event_stream import BEAT, EVENT_STREAM, EventStream, frame
from adapters.inbound.http.guards import Bearer, Resuming
from adapters.inbound.http.input import Input
from adapters.inbound.http.json_format import id_cursor, read_id_cursor
from adapters.inbound.http.params import SomeSeconds
from adapters.inbound.http.reply import Id, Media, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from application.live import Begun
from application.live_hub import LONGEST, NoRoomForStreams, TooManyStreams
from domain.live import NOWHERE, LiveEvent, LiveEventId
from domain.live_kinds import LiveKind


class StreamMark(StrEnum):
    """What is told of the stream itself."""

    OPENED = "stream.opened"
    RESET = "stream.reset"


COME_BACK = range(1_000, 5_001)
"""Milliseconds after which a client comes back: not all of them at once."""


class Following(Input):
    """How long to follow."""

    seconds: SomeSeconds = int(LONGEST.total_seconds())


class Event(TypedDict):
    """What each event's `data` holds: what happened to what, and when. What it is about is read where it is found.

    `id` is the event's own, to resume behind.
    """

    id: Annotated[str, Examples(["AAAAAAAAACpmrXK6QJ5vXg"])]
    event: Annotated[str, SpelledOut(StreamMark | LiveKind), Examples(["message.received"])]
    subject: Id
    at: datetime


EVENTS = Media(EVENT_STREAM, content=Event)


async def follow_events(request: Request[Following]) -> Annotated[EventStream, EVENTS]:
    """Follow what happens in the account. The answer goes on, as server-sent events, for an hour at most.

    Each event has an `id`: whoever comes back with it in `Last-Event-ID` misses nothing of the last 24 hours, whichever
    server answers. `stream.opened` begins a stream that resumes nothing; `stream.reset` says that something was missed
    which cannot be told any more: read anew what you show. A client that leaves events unread is cut off.
    With `seconds=0` the answer ends as soon as everything is told that has happened by now.
    """
    lasting = timedelta(seconds=request.input.seconds)
    follow = request.use_cases.follow_events(request.caller, _seen(request.resumes_behind), lasting)
    if request.method == "HEAD":
        return EventStream(_frames(UUID(int=0), b"", follow))
    begun = await anext(follow)
    first = b"retry: %d\n\n" % random.choice(COME_BACK)  # noqa: S311 - needs no secrecy
    if isinstance(begun, Begun):
        first += _begun(request.account_id, begun, resumed=bool(request.resumes_behind))
    return EventStream(_frames(request.account_id, first, follow))


async def _frames(
    account_id: UUID, first: bytes, follow: AsyncGenerator[Begun | Sequence[LiveEvent], None]
) -> AsyncGenerator[bytes, None]:
    async with aclosing(follow):
        yield first
        async for told in follow:
            if isinstance(told, Begun):
                yield _begun(account_id, told, resumed=True)
            else:
                yield b"".join(map(_event, told)) or BEAT


def _event(of: LiveEvent) -> bytes:
    return _framed({"id": id_cursor(of.id), "event": of.kind.value, "subject": str(of.subject), "at": of.at})


def _begun(account_id: UUID, of: Begun, *, resumed: bool) -> bytes:
    """Tell where a stream begins. Who goes on behind what was seen need not be told."""
    if resumed and not of.lost:
        return b""
    mark = StreamMark.RESET if of.lost else StreamMark.OPENED
    return _framed({"id": id_cursor(of.place), "event": mark.value, "subject": str(account_id), "at": of.at})


def _framed(event: Event) -> bytes:
    return frame(event["event"], event["id"], event)


def _seen(cursor: str) -> LiveEventId | None:
    """Read what a client saw last. What cannot be read was never an event: it resumes nothing, and is told so."""
    if not cursor:
        return None
    try:
        return LiveEventId(read_id_cursor(cursor))
    except ValueError:
        return NOWHERE


ROUTES = (
    Route(
        "GET",
        "/v1/events",
        follow_events,
        200,
        query=Following,
        guards=(Bearer(), Resuming()),
        raises=(TooManyStreams, NoRoomForStreams),
    ),
)
