"""Telnyx's events about voicemail: a message was recorded, it was put into writing."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from adapters.call_state import CallStage
from adapters.inbound.webhooks.answers import Malformed
from adapters.inbound.webhooks.telnyx.app_calls import RefOf
from adapters.inbound.webhooks.telnyx.events import Event
from adapters.inbound.webhooks.telnyx.voice import TelnyxVoice
from application.ports.recordings import Recorded, RecordingNotReady
from application.ports.transcriber import Transcription
from application.voicemail_receiving import InboundVoicemail
from application.voicemail_transcripts import InboundTranscript
from domain.kernel import CarrierRef

ID = re.compile(r"[A-Za-z0-9_-]{1,45}\Z")
TranscriptionOf: TypeAlias = Callable[[CarrierRef, object, object], Transcription | None]
"""Translates a transcript's reference, Telnyx's word for its status, and its text."""


@dataclass(frozen=True, slots=True)
class TelnyxVoicemail:
    """Takes voicemail in, and transcripts of it. What an event says of a recording is a hint: Telnyx is asked."""

    voice: TelnyxVoice
    receive: Callable[[InboundVoicemail], Awaitable[None]]
    refuse: Callable[[CarrierRef], Awaitable[None]]
    apply_transcript: Callable[[InboundTranscript], Awaitable[None]]
    recordings_of: Callable[[CarrierRef], Awaitable[Sequence[CarrierRef]]]
    """Finds what was recorded of a leg: the event that tells of it does not name it."""
    look_up: Callable[[CarrierRef], Awaitable[Recorded | None]]
    ref_of: RefOf
    transcript_ref: RefOf
    transcription_of: TranscriptionOf

    def handlers(self) -> dict[str, Callable[[Event], Awaitable[None]]]:
        """Return the handlers of verified events, by type."""
        return {
            "call.recording.saved": self.saved,
            "call.recording.error": self.failed,
            "call.recording.transcription.saved": self.transcribed,
        }

    async def saved(self, event: Event) -> None:
        """Take in what was recorded of a leg, and end it; what is recorded of a call in any other way is refused.

        Raises RecordingNotReady where nothing is listed of it yet: Telnyx tells again.
        """
        call = await self.voice.read(event)
        refs = await self.recordings_of(self.ref_of(call.leg))
        for ref in refs:
            await self.receive(InboundVoicemail(ref))
            await self.refuse(ref)
        await self._over(event)
        if not refs:
            raise RecordingNotReady

    async def failed(self, event: Event) -> None:
        """End a call of which nothing can be recorded."""
        await self._over(event)

    async def _over(self, event: Event) -> None:
        """End the leg of somebody who has said what they had to: whatever key they press leads nowhere."""
        call = await self.voice.read(event)
        if call.state is not None and call.state.stage in {CallStage.RECORDING, CallStage.SPEAKING}:
            await self.voice.control.hang_up(call.state.control, call.id)

    async def transcribed(self, event: Event) -> None:
        """Take in a transcript, or that there is none."""
        of, own = event.payload.get("recording_id"), event.payload.get("recording_transcription_id")
        if not (isinstance(of, str) and ID.match(of) and isinstance(own, str) and ID.match(own)):
            raise Malformed
        made = self.transcription_of(
            self.transcript_ref(own), event.payload.get("status"), event.payload.get("transcription_text")
        )
        recorded = await self.look_up(self.ref_of(of))
        if made is None or recorded is None or recorded.called is None or not recorded.is_message:
            return
        told = InboundTranscript(self.ref_of(of), recorded.called, recorded.caller, made)
        await self.apply_transcript(told)
