"""Twilio's webhooks about what was recorded: a message was left, audio is ready, it was put into writing."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from aiohttp import web

from adapters.inbound.webhooks.answers import malformed, noted
from adapters.inbound.webhooks.twilio.form import XML, Form, FormHandler
from application.ports.transcriber import Transcription
from application.voicemail_receiving import InboundVoicemail
from application.voicemail_transcripts import InboundTranscript
from domain.kernel import CarrierRef
from domain.values import Peer, PhoneNumber

RECORD_ACTION = "/webhooks/twilio/voice/record-action"
RECORDING = "/webhooks/twilio/voice/recording"
TRANSCRIPTION = "/webhooks/twilio/voice/transcription"

RECORDING_SID = re.compile(r"RE[0-9a-f]{32}\Z")
TRANSCRIPTION_SID = re.compile(r"TR[0-9a-f]{32}\Z")
SECONDS = re.compile(r"[0-9]{1,6}\Z")
HANG_UP = b"<Response><Hangup/></Response>"
MESSAGE = "RecordVerb"
"""The source of a recording of somebody who was asked to speak. There is no other that Pico asks for."""
CallerOf: TypeAlias = Callable[[str], Peer | None]
"""Returns who called, None for somebody who is not told."""
TranscriptionOf: TypeAlias = Callable[[CarrierRef, str, str], Transcription | None]
"""Translates a transcript's reference, Twilio's word for its status, and its text."""


@dataclass(frozen=True, slots=True)
class TwilioVoicemail:
    """Takes voicemail in, and transcripts of it. Redelivery is harmless."""

    receive: Callable[[InboundVoicemail], Awaitable[None]]
    refuse: Callable[[CarrierRef], Awaitable[None]]
    apply_transcript: Callable[[InboundTranscript], Awaitable[None]]
    caller_of: CallerOf
    transcription_of: TranscriptionOf

    def handlers(self) -> dict[str, FormHandler]:
        """Return the handlers of verified forms, by path."""
        return {
            RECORD_ACTION: self.record_action,
            RECORDING: self.recording,
            TRANSCRIPTION: self.transcription,
        }

    async def record_action(self, form: Form, _query: str) -> web.Response:
        """Take in what a caller left, and hang up: whatever key was pressed leads nowhere."""
        ref = recording_sid(form)
        if "From" not in form or not form.get("To"):
            return malformed()
        if ref is not None and (called := PhoneNumber.or_none(form["To"])) is not None:
            length = length_of(form)
            await self.receive(
                InboundVoicemail(ref, called, self.caller_of(form["From"]), length, finished=False)
            )
        return web.Response(headers=XML, body=HANG_UP)

    async def recording(self, form: Form, _query: str) -> web.Response:
        """Take in a message or a greeting whose audio is ready. What is recorded in any other way is refused."""
        ref = recording_sid(form)
        if ref is None or "RecordingSource" not in form or not form.get("RecordingStatus"):
            return malformed()
        if form["RecordingSource"] != MESSAGE:
            await self.refuse(ref)
        elif form["RecordingStatus"] == "completed":
            await self.receive(InboundVoicemail(ref))
        return noted()

    async def transcription(self, form: Form, _query: str) -> web.Response:
        """Take in a transcript, or that there is none."""
        of, ref = recording_sid(form), form.get("TranscriptionSid", "")
        if of is None or not TRANSCRIPTION_SID.match(ref) or "From" not in form or not form.get("To"):
            return malformed()
        called = PhoneNumber.or_none(form["To"])
        made = self.transcription_of(
            CarrierRef(ref), form.get("TranscriptionStatus", ""), form.get("TranscriptionText", "")
        )
        if called is not None and made is not None:
            await self.apply_transcript(InboundTranscript(of, called, self.caller_of(form["From"]), made))
        return noted()


def recording_sid(form: Form) -> CarrierRef | None:
    """Return the recording's id, from the end of its address where it is not given for itself; None for none."""
    sid = form.get("RecordingSid") or form.get("RecordingUrl", "").rpartition("/")[2]
    return CarrierRef(sid) if RECORDING_SID.match(sid) else None


def length_of(form: Form) -> timedelta | None:
    """Return how long a message is; None where that is not said."""
    seconds = form.get("RecordingDuration", "")
    return timedelta(seconds=int(seconds)) if SECONDS.match(seconds) else None
