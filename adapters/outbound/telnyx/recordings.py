"""What callers left with Telnyx: recordings and transcripts (Telnyx: recordings, recording transcriptions)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from typing_extensions import override

from adapters.outbound.telnyx.answers import (
    PREFIX,
    Resource,
    certain,
    id_of,
    opaque,
    readable,
    ref_of,
    resource_of,
    words_of,
)
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.vocabulary import Gone
from application.ports.message_carrier import MediaUnfit
from application.ports.recordings import (
    FetchedAudio,
    Recorded,
    RecordingGone,
    RecordingNotReady,
    Recordings,
    RecordingUnfit,
)
from application.ports.transcriber import Transcriber, Transcription
from domain.kernel import CarrierRef
from domain.values import Locale, Peer, PhoneNumber
from domain.voicemail import Transcript, TranscriptAbsence

TRANSCRIPT = "tr-"
"""How we tell a transcript's id from a recording's: Telnyx's own do not differ."""
MESSAGE = "StartCallRecordingAPI"
"""What Telnyx says of a recording that we told it to begin. Calls are recorded by other words, and never by us."""
WITHHELD = frozenset({"", "anonymous", "unknown", "restricted", "unavailable", "blocked", "private"})
LONGEST = timedelta(minutes=5)


def caller_of(text: str) -> Peer | None:
    """Return who called, however odd, made fit to be kept; None for somebody who is not told."""
    return None if text.strip().lower() in WITHHELD else Peer.of_sender(text)


def transcript_ref(value: object) -> CarrierRef:
    """Return our reference of a transcript. Raises CarrierUnavailable for what is no id."""
    return CarrierRef(f"{PREFIX}{TRANSCRIPT}{opaque(value)}")


def transcription_of(ref: CarrierRef, status: object, text: object) -> Transcription | None:
    """Translate a transcript's status and text; None while Telnyx is at work on it."""
    if status == "in-progress":
        return None
    if status != "completed":
        return Transcription(ref, None)
    written = Transcript.heard(readable(text)) if text else None
    return Transcription(ref, written, TranscriptAbsence.NOTHING_SAID if written is None else None)


@dataclass(frozen=True, slots=True)
class TelnyxRecordings(Recordings, Transcriber):
    """Finds, fetches and deletes recordings and what Telnyx itself made of them. It transcribes English for us."""

    name: ClassVar[str] = "telnyx"
    patience: ClassVar[timedelta] = timedelta(hours=1)  # type: ignore[misc]  # a constant fulfils an attribute

    api: TelnyxApi

    @override
    @certain
    async def of_call(self, call: CarrierRef) -> list[CarrierRef]:
        leg = id_of(call)
        return [] if leg is None else await self._of_leg(leg)

    async def _of_leg(self, leg: str) -> list[CarrierRef]:
        listed = self.api.http.items("/recordings", (("filter[call_leg_id]", leg),))
        return [ref_of(each.get("id")) async for each in listed if each.get("call_leg_id") == leg]

    @override
    @certain
    async def look_up(self, ref: CarrierRef) -> Recorded | None:
        recording = await self._recording(ref)
        if recording is None:
            return None
        millis = recording.get("duration_millis")
        if type(millis) is not int or not 0 <= millis < 10**9:
            millis = 0
        sender, to = readable(recording.get("from")), readable(recording.get("to"))
        called, leg = PhoneNumber.or_none(to), recording.get("call_leg_id")
        return Recorded(
            called=called,
            caller=caller_of(sender),
            length=timedelta(seconds=millis // 1000),
            is_message=recording.get("initiated_by") == MESSAGE,
            of_app=called is None and bool(to),  # callers from outside call a number of ours
            call=None if leg is None else ref_of(leg),
        )

    @override
    @asynccontextmanager
    async def fetch(self, ref: CarrierRef) -> AsyncIterator[FetchedAudio]:
        """Ask the API where the audio lies now: its address expires, and a webhook's is never used."""
        address = await self._address(ref)
        try:
            async with self.api.content.open(address) as content:
                yield FetchedAudio(content.type, content.pieces)
        except Gone:
            raise RecordingNotReady from None
        except MediaUnfit:
            raise RecordingUnfit from None

    @certain
    async def _address(self, ref: CarrierRef) -> str:
        recording = await self._recording(ref)
        if recording is None:
            raise RecordingGone
        if recording.get("status") != "completed":
            raise RecordingNotReady
        return words_of(resource_of(recording.get("download_urls")).get("wav"))

    @override
    @certain
    async def delete(self, ref: CarrierRef) -> None:
        """Delete what was made of it in writing first, then the recording."""
        made, path = bare(ref), None
        if made is not None:
            path = f"/recording_transcriptions/{made}"
        elif (recording := id_of(ref)) is not None:
            for each in await self._transcripts(recording):
                await self._delete(f"/recording_transcriptions/{opaque(each.get('id'))}")
            path = f"/recordings/{recording}"
        if path is not None:
            await self._delete(path)

    async def _delete(self, path: str) -> None:
        with suppress(Gone):
            await self.api.http.delete(path)

    @override
    @certain
    async def holds(self, ref: CarrierRef) -> bool:
        made = bare(ref)
        if made is None:
            return await self._recording(ref) is not None
        try:
            await self.api.http.get(f"/recording_transcriptions/{made}")
        except Gone:
            return False
        return True

    @override
    def declines(self, language: Locale | None, length: timedelta) -> TranscriptAbsence | None:
        if language is None or language.partition("-")[0] != "en":
            return TranscriptAbsence.LANGUAGE
        return TranscriptAbsence.TOO_LONG if length > LONGEST else None

    @override
    @certain
    async def transcript_of(self, recording: CarrierRef) -> Transcription | None:
        held = id_of(recording)
        for made in await self._transcripts(held) if held is not None else ():
            found = transcription_of(
                transcript_ref(made.get("id")), made.get("status"), made.get("transcription_text")
            )
            if found is not None:
                return found
        return None

    async def _transcripts(self, recording: str) -> list[Resource]:
        listed = self.api.http.items("/recording_transcriptions", (("filter[recording_id]", recording),))
        return [each async for each in listed if each.get("recording_id") == recording]

    async def _recording(self, ref: CarrierRef) -> Resource | None:
        held = id_of(ref)
        if held is None or bare(ref) is not None:
            return None
        try:
            recording = await self.api.http.get(f"/recordings/{held}")
        except Gone:
            return None
        return recording if ref_of(recording.get("id")) == ref else None


def bare(ref: CarrierRef) -> str | None:
    """Return Telnyx's id of a transcript; None for the reference of something else."""
    held = id_of(ref)
    return held.removeprefix(TRANSCRIPT) if held is not None and held.startswith(TRANSCRIPT) else None
