"""Whoever puts a voicemail into writing. What it cannot do it says beforehand, and nobody waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Protocol

from domain.kernel import CarrierRef
from domain.values import Locale
from domain.voicemail import Transcript, TranscriptAbsence


@dataclass(frozen=True, slots=True)
class Transcription:
    """What came of it, and the reference under which it lies. Without a text: why; None where it was tried in vain."""

    ref: CarrierRef
    text: Transcript | None
    absence: TranscriptAbsence | None = None


class Transcriber(Protocol):
    """Every method raises CarrierUnavailable when no certain answer came."""

    name: ClassVar[str]
    patience: timedelta
    """How long after a voicemail was left a transcript may still come."""

    def declines(self, language: Locale | None, length: timedelta) -> TranscriptAbsence | None:
        """Return why a voicemail of this length, for somebody who speaks this, is not transcribed; None if it is."""
        ...

    async def transcript_of(self, recording: CarrierRef) -> Transcription | None:
        """Return what came of a recording; None while nothing has. Repeating is harmless."""
        ...
