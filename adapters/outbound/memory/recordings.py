"""Recordings and transcripts in memory: what callers left with a carrier, and everything that goes wrong with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import ClassVar

from typing_extensions import override

from application.ports.carrier_errors import CarrierUnavailable
from application.ports.recordings import (
    FetchedAudio,
    Recorded,
    RecordingGone,
    RecordingNotReady,
    Recordings,
)
from application.ports.transcriber import Transcriber, Transcription
from application.voicemail_receiving import InboundVoicemail
from application.voicemail_transcripts import InboundTranscript
from domain.call_instructions import ClientIdentity
from domain.kernel import CarrierRef
from domain.values import Locale, Peer, PhoneNumber
from domain.voicemail import Transcript, TranscriptAbsence

PIECE = 1 << 14


@dataclass(frozen=True, slots=True)
class HeldRecording:
    """A recording that the carrier holds, or whatever it answers when it is asked for it."""

    recorded: Recorded
    type: str
    content: bytes
    call: CarrierRef | None = None
    """Of which call it is."""


class MemoryRecordings(Recordings, Transcriber):
    """`Recordings` and `Transcriber` in memory, with knobs. Nothing moves by itself.

    `leave` plays a caller, `speak` a line's own person, `transcribe` the carrier's transcriber. Knobs, to be set at any
    time: `outage` (every method raises CarrierUnavailable), `not_ready` (so many fetches come too early), `breaks_off`
    (so many fetches end in the middle), `lies` (deletions are answered well, and nothing is done), `silent` (no webhook
    is called).

    To look at: `calls`, and what is held, `recordings` and `transcriptions`.
    """

    name: ClassVar[str] = "memory"
    patience = timedelta(hours=1)

    def __init__(self) -> None:
        """Begin without a recording."""
        self.outage = self.lies = self.silent = False
        self.not_ready = self.breaks_off = 0
        self.calls: list[str] = []
        self.recordings: dict[CarrierRef, HeldRecording] = {}
        self.transcriptions: dict[CarrierRef, tuple[CarrierRef, Transcription]] = {}
        """What was made of a recording, which comes first, by its own reference."""
        self.on_voicemail: Callable[[InboundVoicemail], Awaitable[None]] | None = None
        self.on_transcript: Callable[[InboundTranscript], Awaitable[None]] | None = None
        self._serial = count(1)

    @override
    async def look_up(self, ref: CarrierRef) -> Recorded | None:
        self._hear("look_up")
        return self.recordings[ref].recorded if ref in self.recordings else None

    @override
    async def of_call(self, call: CarrierRef) -> list[CarrierRef]:
        self._hear("of_call")
        return [ref for ref, held in self.recordings.items() if held.call == call]

    @override
    @asynccontextmanager
    async def fetch(self, ref: CarrierRef) -> AsyncIterator[FetchedAudio]:
        self._hear("fetch")
        if ref not in self.recordings:
            raise RecordingGone
        if self.not_ready > 0:
            self.not_ready -= 1
            raise RecordingNotReady
        held = self.recordings[ref]
        yield FetchedAudio(held.type, self._pieces(held.content))

    async def _pieces(self, content: bytes) -> AsyncIterator[bytes]:
        breaks, self.breaks_off = self.breaks_off > 0, max(0, self.breaks_off - 1)
        for at in range(0, len(content), PIECE):
            if breaks and at >= len(content) // 2:
                raise CarrierUnavailable
            yield content[at : at + PIECE]
        if breaks:
            raise CarrierUnavailable

    @override
    async def delete(self, ref: CarrierRef) -> None:
        self._hear("delete")
        if not self.lies:
            self.recordings.pop(ref, None)
            self.transcriptions = {
                own: (of, made) for own, (of, made) in self.transcriptions.items() if ref not in {own, of}
            }

    @override
    async def holds(self, ref: CarrierRef) -> bool:
        self._hear("holds")
        return ref in self.recordings or ref in self.transcriptions

    @override
    def declines(self, language: Locale | None, length: timedelta) -> TranscriptAbsence | None:
        if language is None or language.partition("-")[0] != "en":
            return TranscriptAbsence.LANGUAGE
        return TranscriptAbsence.TOO_LONG if length > timedelta(minutes=2) else None

    @override
    async def transcript_of(self, recording: CarrierRef) -> Transcription | None:
        self._hear("transcript_of")
        return next((made for of, made in self.transcriptions.values() if of == recording), None)

    async def leave(
        self,
        caller: Peer | None,
        called: PhoneNumber,
        content: bytes,
        *,
        seconds: int = 12,
        media_type: str = "audio/wav",
        call: CarrierRef | None = None,
    ) -> CarrierRef:
        """Let somebody leave a message at a number, and say so; return the recording's reference."""
        ref = CarrierRef(f"RE{next(self._serial):032x}")
        recorded = Recorded(called, caller, timedelta(seconds=seconds), call=call)
        self.recordings[ref] = HeldRecording(recorded, media_type, content, call)
        if self.on_voicemail is not None and not self.silent:
            await self.on_voicemail(InboundVoicemail(ref, called, caller, recorded.length))
        return ref

    async def speak(
        self, client: ClientIdentity, call: CarrierRef, content: bytes, *, seconds: int = 12
    ) -> CarrierRef:
        """Let a line's own person say something on a call of their app; return the recording's reference."""
        ref = CarrierRef(f"RE{next(self._serial):032x}")
        said = Recorded(None, None, timedelta(seconds=seconds), of_app=True, client=client, call=call)
        self.recordings[ref] = HeldRecording(said, "audio/wav", content, call)
        if self.on_voicemail is not None and not self.silent:
            await self.on_voicemail(InboundVoicemail(ref))
        return ref

    async def transcribe(self, recording: CarrierRef, text: str | None) -> CarrierRef:
        """Have a recording put into writing, or in vain, and say so; return the transcript's reference."""
        recorded = self.recordings[recording].recorded
        ref = CarrierRef(f"TR{next(self._serial):032x}")
        made = Transcription(ref, None if text is None else Transcript(text))
        self.transcriptions[ref] = recording, made
        if self.on_transcript is not None and recorded.called is not None and not self.silent:
            await self.on_transcript(InboundTranscript(recording, recorded.called, recorded.caller, made))
        return ref

    def _hear(self, operation: str) -> None:
        self.calls.append(operation)
        if self.outage:
            raise CarrierUnavailable
