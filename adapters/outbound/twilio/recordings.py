"""What callers left with Twilio: recordings and transcripts (Twilio: Recordings, Transcriptions, Calls resources)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from typing_extensions import override

from adapters.outbound.twilio.answers import certain, ref_of, words_of
from adapters.outbound.twilio.api import LONGEST_LIST, TwilioApi
from adapters.outbound.twilio.vocabulary import Gone
from application.ports.message_carrier import MediaUnfit, TooEarly
from application.ports.recordings import (
    FetchedAudio,
    Recorded,
    RecordingAbsent,
    RecordingGone,
    RecordingNotReady,
    Recordings,
    RecordingUnfit,
)
from application.ports.transcriber import Transcriber, Transcription
from domain.call_instructions import ClientIdentity
from domain.kernel import CarrierRef
from domain.values import Locale, Peer, PhoneNumber
from domain.voicemail import Transcript, TranscriptAbsence

TRANSCRIPTION = "TR"
"""How the reference of a transcript begins; a recording's begins with RE."""
MESSAGE = "RecordVerb"
"""The source of a recording that a caller was asked to leave (Twilio: Recordings, source)."""
UNFINISHED = frozenset({"in-progress", "paused", "processing"})
WITHHELD = frozenset(
    {
        "", "anonymous", "unknown", "restricted", "unavailable", "blocked", "private",
        "+266696687", "+7378742833", "+86282452253", "+8656696", "+2562533",
    }
)  # fmt: skip
"""What stands for a caller who is not told: words, and the words spelled on a telephone's keys."""
CLIENT = "client:"
"""How an app is called, by its name."""
BLANK = "(blank)"
"""A transcript of nothing."""
LONGEST, SHORTEST = timedelta(seconds=120), timedelta(seconds=2)
"""Twilio transcribes what is longer than the one, and no longer than the other (Twilio: Record, transcribe)."""
LANGUAGES = frozenset({"en", "en-US"})


def caller_of(text: str) -> Peer | None:
    """Return who called, however odd, made fit to be kept; None for somebody who is not told."""
    return None if text.strip().lower() in WITHHELD else Peer.of_sender(text)


@contextmanager
def as_a_recordings() -> Iterator[None]:
    """Have what goes wrong with content be told as of a recording.

    Twilio knows of it, so where its audio is not found the store that holds it has not heard of it yet.
    """
    try:
        yield
    except (Gone, TooEarly):
        raise RecordingNotReady from None
    except MediaUnfit:
        raise RecordingUnfit from None


def transcription_of(ref: CarrierRef, status: str, text: str) -> Transcription | None:
    """Translate a transcript's status and text; None while Twilio is at work on it."""
    if status == "in-progress":
        return None
    if status != "completed":
        return Transcription(ref, None)
    written = None if text.strip().lower() == BLANK else Transcript.heard(text)
    return Transcription(ref, written, TranscriptAbsence.NOTHING_SAID if written is None else None)


@dataclass(frozen=True, slots=True)
class TwilioRecordings(Recordings, Transcriber):
    """Finds, fetches and deletes recordings and what Twilio itself made of them; a Twilio SID is a CarrierRef.

    Twilio's transcriber knows American English only, and messages of up to two minutes.
    """

    name: ClassVar[str] = "twilio"
    patience: ClassVar[timedelta] = timedelta(hours=1)  # type: ignore[misc]  # a constant fulfils an attribute

    api: TwilioApi

    @override
    @certain
    async def look_up(self, ref: CarrierRef) -> Recorded | None:
        """Fetch the recording, then the call that it is of, for the numbers."""
        try:
            recording = await self.api.client.recordings(ref).fetch_async()
        except Gone:
            return None
        ref_of(recording)
        call = words_of(recording.call_sid)
        sender, to = await self._between(call)
        app = next((one for one in (sender, to) if one.startswith(CLIENT)), None)
        return Recorded(
            called=PhoneNumber.or_none(to),
            caller=None if sender.startswith(CLIENT) else caller_of(sender),
            length=timedelta(seconds=_seconds(recording.duration)),
            is_message=recording.source == MESSAGE,
            of_app=app is not None,
            client=None if app is None else ClientIdentity(app.removeprefix(CLIENT)),
            call=CarrierRef(call),
        )

    async def _between(self, call_sid: str) -> tuple[str, str]:
        """Return who called whom; nobody where Twilio does not have the call any more."""
        try:
            call = await self.api.client.calls(call_sid).fetch_async()
        except Gone:
            return "", ""
        ref_of(call)
        sender = call._from  # noqa: SLF001 - the SDK has no other name for it
        return words_of(sender), "" if call.to is None else words_of(call.to)

    @override
    @certain
    async def of_call(self, call: CarrierRef) -> list[CarrierRef]:
        listed = await self.api.client.recordings.list_async(
            call_sid=call, limit=LONGEST_LIST, page_size=self.api.page_size
        )
        return [ref_of(recording) for recording in listed if recording.call_sid == call]

    @override
    @asynccontextmanager
    async def fetch(self, ref: CarrierRef) -> AsyncIterator[FetchedAudio]:
        """Ask how the recording stands, and open it by its reference: as WAV, the way Twilio has it.

        The address in a webhook's form is never used: who could forge one would have us call him with our credentials.
        """
        if await self._is_unfinished(ref):
            raise RecordingNotReady
        path = f"/2010-04-01/Accounts/{self.api.client.account_sid}/Recordings/{ref}.wav"
        with as_a_recordings():
            async with self.api.content.open(path, self.api.client.auth) as content:
                yield FetchedAudio(content.type, content.pieces)

    @certain
    async def _is_unfinished(self, ref: CarrierRef) -> bool:
        """Tell whether Twilio still works on it. Raises RecordingGone, RecordingAbsent."""
        try:
            recording = await self.api.client.recordings(ref).fetch_async()
        except Gone:
            raise RecordingGone from None
        status = words_of(recording.status)
        if status in {"absent", "failed"}:
            raise RecordingAbsent
        if status == "deleted":
            raise RecordingGone
        return status in UNFINISHED

    @override
    @certain
    async def delete(self, ref: CarrierRef) -> None:
        """Delete what was made of it in writing first: deleting a recording does not promise to (Twilio)."""
        if ref.startswith(TRANSCRIPTION):
            await self._delete(self.api.client.transcriptions(ref))
            return
        for made in await self._transcriptions(ref):
            await self._delete(self.api.client.transcriptions(ref_of(made)))
        await self._delete(self.api.client.recordings(ref))

    async def _delete(self, resource: Any) -> None:  # noqa: ANN401 - the SDK has no types
        with suppress(Gone):
            await resource.delete_async()

    @override
    @certain
    async def holds(self, ref: CarrierRef) -> bool:
        client = self.api.client
        resource = client.transcriptions(ref) if ref.startswith(TRANSCRIPTION) else client.recordings(ref)
        try:
            await resource.fetch_async()
        except Gone:
            return False
        return True

    @override
    def declines(self, language: Locale | None, length: timedelta) -> TranscriptAbsence | None:
        if language not in LANGUAGES:
            return TranscriptAbsence.LANGUAGE
        if length > LONGEST:
            return TranscriptAbsence.TOO_LONG
        return TranscriptAbsence.TOO_SHORT if length <= SHORTEST else None

    @override
    @certain
    async def transcript_of(self, recording: CarrierRef) -> Transcription | None:
        for made in await self._transcriptions(recording):
            text = made.transcription_text
            found = transcription_of(
                ref_of(made), words_of(made.status), text if isinstance(text, str) else ""
            )
            if found is not None:
                return found
        return None

    async def _transcriptions(self, ref: CarrierRef) -> list[Any]:
        """List what was made of a recording; nothing once that is gone."""
        try:
            listed: list[Any] = await (
                self.api.client.recordings(ref)
                .transcriptions.list_async(limit=LONGEST_LIST, page_size=self.api.page_size)
            )  # fmt: skip
        except Gone:
            return []
        return listed


def _seconds(said: object) -> int:
    """Return a duration, which comes as text, or as -1 while it is not known."""
    return int(said) if isinstance(said, str) and said.isdecimal() and len(said) <= 6 else 0  # noqa: PLR2004 - 11 days
