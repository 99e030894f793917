"""Voicemail: what callers left, to be listened to, read, marked, corrected and deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from pydantic import Field
from pydantic.json_schema import Examples
from typing_extensions import TypedDict

import domain.voicemail
from adapters.inbound.http.guards import VERSION, Bearer, Conditional
from adapters.inbound.http.input import Change, Paged
from adapters.inbound.http.json_format import id_cursor
from adapters.inbound.http.params import MaybeId, MaybeLine, MaybeTrue, Text
from adapters.inbound.http.reply import Download, Id, Media, SpelledOut
from adapters.inbound.http.request import Request
from adapters.inbound.http.route import Route
from domain.voicemail import (
    AudioNotHere,
    AudioRefusal,
    TooLateToUndo,
    Transcript,
    TranscriptAbsence,
    TranscriptState,
    VoicemailId,
    VoicemailState,
)

WORDS = Text(Transcript.parse, {"minLength": 1, "maxLength": Transcript.LONGEST, "pattern": r"^[^\x00]*$"})
AUDIO = Media("audio/*", filename="voicemail", ranges=True)


class VoicemailPage(Paged):
    """A page of voicemail, of one line or of all."""

    line_id: MaybeLine = None
    cursor: MaybeId = None


class VoicemailChange(Change):
    """What to change: something, at least. A field left out stays as it is."""

    heard: MaybeTrue = None
    transcript: Annotated[Transcript | None, WORDS] = None


CALLER = (
    "Who called: a number or a name, as it came. Null where it was withheld, or damaged and cannot be read."
)
Caller = TypedDict("Caller", {"from": Annotated[str | None, Field(description=CALLER)]})
"""Who left a voicemail."""


class Voicemail(Caller):
    """What a caller left. Its audio can be downloaded while it is `kept`; `type` and `size` are known as long.

    After 90 days the audio has `expired`, and the transcript stays. `absence` says why there is none.
    """

    id: Id
    line_id: Id
    state: Annotated[str, SpelledOut(VoicemailState), Examples(["kept"])]
    type: Annotated[str | None, Examples(["audio/wav"])]
    size: int
    duration: int
    refusal: Annotated[str, SpelledOut(AudioRefusal)] | None
    transcript: str | None
    transcript_state: Annotated[str, SpelledOut(TranscriptState), Examples(["done"])]
    absence: Annotated[str, SpelledOut(TranscriptAbsence)] | None
    created_at: datetime
    heard_at: datetime | None


class Voicemails(TypedDict):
    """A page of voicemail; `next_cursor` leads to the rest, null at the end."""

    items: list[Voicemail]
    next_cursor: str | None


class VoicemailDeletion(TypedDict):
    """A voicemail that was deleted, and until when that can be undone."""

    id: Id
    undo_until: datetime


def voicemail(of: domain.voicemail.Voicemail) -> Voicemail:
    """Show a voicemail."""
    return {
        "id": str(of.id),
        "line_id": str(of.line_id),
        "from": of.caller,
        "state": str(of.state),
        "type": None if of.type is None else of.type.mime,
        "size": of.size,
        "duration": of.duration,
        "refusal": None if of.refusal is None else str(of.refusal),
        "transcript": of.transcript,
        "transcript_state": str(of.transcript_state),
        "absence": None if of.absence is None else str(of.absence),
        "created_at": of.created_at,
        "heard_at": of.heard_at,
    }


async def list_voicemails(request: Request[VoicemailPage]) -> Voicemails:
    """List voicemail, newest first: of one line, or of all."""
    wanted = request.input
    before = None if wanted.cursor is None else VoicemailId(wanted.cursor)
    page = await request.use_cases.list_voicemails(request.account_id, wanted.line_id, before, wanted.limit)
    return {
        "items": [voicemail(one) for one in page.items],
        "next_cursor": id_cursor(page.next) if page.next else None,
    }


async def read_voicemail(request: Request[None], voicemail_id: VoicemailId) -> Voicemail:
    """Read one voicemail."""
    found = await request.use_cases.read_voicemail(request.account_id, voicemail_id)
    request.show_version(found.version)
    return voicemail(found)


async def change_voicemail(request: Request[VoicemailChange], voicemail_id: VoicemailId) -> Voicemail:
    """Mark a voicemail as heard or not, or write down what was really said. What the person wrote stands."""
    wanted = request.input
    changed = await request.use_cases.change_voicemail(
        request.account_id,
        voicemail_id,
        heard=wanted.heard,
        transcript=wanted.transcript,
        versions=request.versions,
    )
    request.show_version(changed.version)
    return voicemail(changed)


async def delete_voicemail(request: Request[None], voicemail_id: VoicemailId) -> VoicemailDeletion:
    """Delete a voicemail. It is gone at once; until `undo_until` that can be undone, and then nothing of it is left."""
    deleted = await request.use_cases.delete_voicemail(request.account_id, voicemail_id)
    return {"id": str(deleted.id), "undo_until": deleted.undo_until or deleted.created_at}


async def restore_voicemail(request: Request[None], voicemail_id: VoicemailId) -> Voicemail:
    """Undo the deletion of a voicemail, within an hour of it."""
    return voicemail(await request.use_cases.restore_voicemail(request.account_id, voicemail_id))


async def download_voicemail(request: Request[None], voicemail_id: VoicemailId) -> Annotated[Download, AUDIO]:
    """Download the audio of a voicemail, or a part of it."""
    found = await request.use_cases.read_voicemail(request.account_id, voicemail_id)
    kind = found.must_be_here()
    part = request.byte_range(found.size)
    chunks = request.use_cases.read_voicemail.content(found, part.start, part.stop)
    return Download(chunks, replace(AUDIO, type=kind.mime, filename=f"voicemail.{kind.value}"), range=part)


CHANGING = (Bearer(), Conditional())

# fmt: off
ROUTES = (
    Route("GET", "/v1/voicemails", list_voicemails, 200, query=VoicemailPage),
    Route("GET", "/v1/voicemails/{voicemail_id:uuid}", read_voicemail, 200, headers={"ETag": VERSION}),
    Route("PATCH", "/v1/voicemails/{voicemail_id:uuid}", change_voicemail, 200, body=VoicemailChange, guards=CHANGING),
    Route("DELETE", "/v1/voicemails/{voicemail_id:uuid}", delete_voicemail, 200),
    Route("DELETE", "/v1/voicemails/{voicemail_id:uuid}/deletion", restore_voicemail, 200, raises=(TooLateToUndo,)),
    Route("GET", "/v1/voicemails/{voicemail_id:uuid}/audio", download_voicemail, 200, raises=(AudioNotHere,)),
)
# fmt: on
