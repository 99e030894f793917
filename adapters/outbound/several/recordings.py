"""Recordings at several carriers behind one port: a reference says whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from typing_extensions import override

from adapters.outbound.several.references import owner_of
from application.ports.recordings import FetchedAudio, Recorded, Recordings
from application.ports.transcriber import Transcriber, Transcription
from domain.kernel import CarrierRef
from domain.values import Locale
from domain.voicemail import TranscriptAbsence


@dataclass(frozen=True, slots=True)
class EveryRecordings(Recordings):
    """Asks each carrier for what is its own."""

    name: ClassVar[str] = "several"
    by_name: Mapping[str, Recordings]

    @override
    async def look_up(self, ref: CarrierRef) -> Recorded | None:
        return await owner_of(ref, self.by_name).look_up(ref)

    @override
    async def of_call(self, call: CarrierRef) -> list[CarrierRef]:
        return await owner_of(call, self.by_name).of_call(call)

    @override
    def fetch(self, ref: CarrierRef) -> AbstractAsyncContextManager[FetchedAudio]:
        return owner_of(ref, self.by_name).fetch(ref)

    @override
    async def delete(self, ref: CarrierRef) -> None:
        await owner_of(ref, self.by_name).delete(ref)

    @override
    async def holds(self, ref: CarrierRef) -> bool:
        return await owner_of(ref, self.by_name).holds(ref)


@dataclass(slots=True)
class EveryTranscriber(Transcriber):
    """Asks each for what is its own; beforehand only what all of them put into writing is promised."""

    name: ClassVar[str] = "several"
    by_name: Mapping[str, Transcriber]
    patience: timedelta = field(init=False)
    """The longest of theirs."""

    def __post_init__(self) -> None:
        """Put together how long each may take."""
        self.patience = max(transcriber.patience for transcriber in self.by_name.values())

    @override
    def declines(self, language: Locale | None, length: timedelta) -> TranscriptAbsence | None:
        said = (transcriber.declines(language, length) for transcriber in self.by_name.values())
        return next((why for why in said if why is not None), None)

    @override
    async def transcript_of(self, recording: CarrierRef) -> Transcription | None:
        return await owner_of(recording, self.by_name).transcript_of(recording)
