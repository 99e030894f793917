"""Greetings: what callers of a line hear before they leave a message."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic.json_schema import Examples
from typing_extensions import TypedDict

import domain.greetings
from adapters.inbound.http.input import Input
from adapters.inbound.http.params import UNSEEN, Text
from adapters.inbound.http.reply import Download, Media
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import OPEN, Route
from adapters.inbound.http.upload import Upload
from application.ports.objects import ObjectsUnavailable
from application.recorded_audio import AudioTooLarge, NotAudio, UnsupportedAudio
from domain.greetings import LARGEST_GREETING, GreetingNotRecorded, GreetingText
from domain.kernel import LineId, NotFound
from domain.requests import Pace

SHAPE = rf"^[^{UNSEEN}\s]([^{UNSEEN}]*[^{UNSEEN}\s])?$"
WORDS = Text(GreetingText.parse, {"minLength": 1, "maxLength": GreetingText.LONGEST, "pattern": SHAPE})
SMALLEST_MP3 = "ID3" + "\0" * 61
FILE = Upload(("audio/mpeg", "audio/wav"), LARGEST_GREETING, SMALLEST_MP3)
SOUND = Media("audio/*", filename="greeting", ranges=True)


class GreetingWords(Input):
    """What is read to callers."""

    words: Annotated[GreetingText, WORDS]


class Greeting(TypedDict):
    """What callers of a line hear: `words` that are read, or a recording of this `type`; both null: the usual one."""

    words: str | None
    type: Annotated[str | None, Examples([None])]
    size: int


def greeting(of: domain.greetings.Greeting | None) -> Greeting:
    """Show a greeting."""
    if of is None:
        return {"words": None, "type": None, "size": 0}
    return {"words": of.words, "type": None if of.sound is None else of.sound.mime, "size": of.size}


async def read_greeting(request: Request[None], line_id: LineId) -> Greeting:
    """Read what callers of a line hear."""
    return greeting(await request.use_cases.read_greeting(request.account_id, line_id))


async def write_greeting(request: Request[GreetingWords], line_id: LineId) -> Greeting:
    """Have callers of a line be read some words."""
    words = request.input.words
    return greeting(await request.use_cases.write_greeting(request.account_id, line_id, words))


async def upload_greeting(request: Request[None], line_id: LineId) -> Greeting:
    """Have callers of a line hear a recording. Until it is here whole, they hear the one before.

    A greeting can be said on the telephone, too: by a call from the line's app to the line's own number.
    """
    upload = request.use_cases.upload_greeting
    return greeting(
        await upload(request.account_id, line_id, request.upload, request.headers.get("Content-Type", ""))
    )


async def remove_greeting(request: Request[None], line_id: LineId) -> None:
    """Have callers of a line hear the usual greeting again."""
    await request.use_cases.remove_greeting(request.account_id, line_id)


async def download_greeting(request: Request[None], line_id: LineId) -> Annotated[Download, SOUND]:
    """Download the recording that callers of a line hear."""
    found = await request.use_cases.read_greeting(request.account_id, line_id)
    if found is None:
        raise GreetingNotRecorded
    return played(request, found)


async def download_offered_greeting(request: Request[None], offer: str) -> Annotated[Download, SOUND]:
    """Let a carrier play a greeting to a caller: whoever has the address may, for some minutes."""
    found = await request.use_cases.read_offered_greeting(offer)
    if found.sound is None:
        raise NotFound
    return played(request, found)


def played(request: Request[None], found: domain.greetings.Greeting) -> Download:
    """Answer with what a greeting sounds like."""
    kind = found.must_be_recorded()
    part = request.byte_range(found.size)
    chunks = request.use_cases.read_greeting.content(found, part.start, part.stop)
    return Download(chunks, replace(SOUND, type=kind.mime, filename=f"greeting.{kind.value}"), range=part)


UPLOADING = (NotAudio, UnsupportedAudio, AudioTooLarge, ObjectsUnavailable)

# fmt: off
ROUTES = (
    Route("GET", "/v1/lines/{line_id:uuid}/greeting", read_greeting, 200),
    Route("PUT", "/v1/lines/{line_id:uuid}/greeting", write_greeting, 200, body=GreetingWords),
    Route("DELETE", "/v1/lines/{line_id:uuid}/greeting", remove_greeting, 204),
    Route("GET", "/v1/lines/{line_id:uuid}/greeting/audio", download_greeting, 200, raises=(GreetingNotRecorded,)),
    Route("PUT", "/v1/lines/{line_id:uuid}/greeting/audio", upload_greeting, 200, upload=FILE, raises=UPLOADING,
          pace=Pace.HEAVY),
    Route("GET", "/v1/offered-greetings/{offer:offer}", download_offered_greeting, 200, guards=OPEN, hidden=True),
)
# fmt: on
