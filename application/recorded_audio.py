"""Audio that somebody recorded: fetched from the carrier, and kept. What is no audio is never stored as such."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from application.ports.clock import Clock
from application.ports.objects import Objects, ObjectsUnavailable
from application.ports.recordings import RecordingAbsent, RecordingGone, Recordings, RecordingUnfit
from domain.kernel import AccountId, CarrierRef, ErrorKind, NotFound, ObjectId, PicoError, SealBroken
from domain.voicemail import (
    LARGEST,
    Audio,
    AudioDigest,
    AudioRefusal,
    AudioType,
)

PATIENCE = timedelta(days=1)
"""How long another answer is hoped for where something else came than the audio."""
HEADER = 44
"""Bytes of a WAV file before its sound; also enough of an MP3 to know it by."""
UNKNOWN_SIZES = frozenset({0, 0xFFFFFFFF, 0x7FFFFFFF})
"""What writers that cannot go back put for the size of a RIFF file."""
SAID = {
    **dict.fromkeys(
        ("audio/wav", "audio/x-wav", "audio/wave", "audio/x-wave", "audio/vnd.wave"), AudioType.WAV
    ),
    **dict.fromkeys(("audio/mpeg", "audio/mp3"), AudioType.MP3),
}


class AudioTooLarge(PicoError):
    """The audio is larger than what is taken in."""

    code = "audio_too_large"


class NotAudio(PicoError):
    """This is no audio, or not of the kind that it is said to be, or cut short."""

    code = "not_audio"


class UnsupportedAudio(PicoError):
    """Audio of this kind is not kept: WAV and MP3 are."""

    code = "unsupported_audio"


class NotYetTheAudio(PicoError):
    """Something else came than the audio: it is asked for again later."""

    kind = ErrorKind.UNAVAILABLE
    code = "not_yet_the_audio"


def type_said(media_type: str) -> AudioType:
    """Return the kind that a media type names. Raises NotAudio, and UnsupportedAudio for another kind of audio."""
    name = media_type.partition(";")[0].strip().lower()
    if name in SAID:
        return SAID[name]
    raise UnsupportedAudio if name.startswith("audio/") else NotAudio


def type_seen(head: bytes) -> AudioType | None:
    """Return the kind that the first bytes are of (RIFF; ID3; ISO 11172-3, 2.4.1.3), None for none that is kept."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return AudioType.WAV
    is_frame = len(head) > 1 and head[0] == 0xFF and head[1] >> 5 == 0b111 and head[1] & 0b110  # noqa: PLR2004 - MP3
    return AudioType.MP3 if head[:3] == b"ID3" or is_frame else None


@dataclass(slots=True)
class CheckedAudio:
    """Audio as it passes: what it is, how large it is, and its digest, known at its end. None of it is held."""

    content: AsyncIterable[bytes]
    said: AudioType
    largest: int
    size: int = 0
    head: bytes = b""
    digest: Any = field(default_factory=hashlib.sha256)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield it on. Raises NotAudio, AudioTooLarge, and whatever `content` raises."""
        held = b""
        async for piece in self.content:
            self.size += len(piece)
            if self.size > self.largest:
                raise AudioTooLarge
            self.digest.update(piece)
            held += piece
            if len(self.head) < HEADER <= len(held):
                self.head = held[:HEADER]
                self._must_be_what_it_is_said_to_be()
            if self.head:
                yield held
                held = b""
        if len(self.head) < HEADER or self._is_cut:
            raise NotAudio

    def _must_be_what_it_is_said_to_be(self) -> None:
        if type_seen(self.head) is not self.said:
            raise NotAudio

    @property
    def _is_cut(self) -> bool:
        """Whether a WAV file says that there is more of it."""
        if self.said is not AudioType.WAV:
            return False
        said = int.from_bytes(self.head[4:8], "little")
        return said not in UNKNOWN_SIZES and said + 8 > self.size


@dataclass(frozen=True, slots=True)
class KeepAudio:
    """Keeps audio as an object, a piece at a time, and believes only what it has read back."""

    objects: Objects

    async def __call__(
        self,
        account_id: AccountId,
        object_id: ObjectId,
        content: AsyncIterable[bytes],
        said: str,
        largest: int = LARGEST,
        *,
        days: int | None = None,
    ) -> Audio:
        """Return what is kept. Raises NotAudio, UnsupportedAudio, AudioTooLarge, ObjectsUnavailable, KeyGone.

        Repeating replaces it.
        """
        checked = CheckedAudio(content, type_said(said), largest)
        size = await self.objects.put(account_id, object_id, checked.pieces(), days=days)
        found = hashlib.sha256()
        try:
            async with self.objects.open(account_id, object_id) as opened:
                async for piece in opened.read():
                    found.update(piece)
        except (NotFound, SealBroken):
            raise ObjectsUnavailable from None
        if found.digest() != checked.digest.digest():
            raise ObjectsUnavailable
        return Audio(checked.said, size, AudioDigest(found.hexdigest()))


@dataclass(frozen=True, slots=True)
class FetchRecording:
    """Fetches what the carrier recorded, and keeps it as an object."""

    recordings: Recordings
    keep_audio: KeepAudio
    clock: Clock

    async def __call__(
        self,
        ref: CarrierRef,
        account_id: AccountId,
        object_id: ObjectId,
        since: datetime,
        largest: int = LARGEST,
        *,
        days: int | None = None,
    ) -> Audio | AudioRefusal:
        """Return what is kept; or why it is not taken in. Raises as `KeepAudio`; CarrierUnavailable, NotYetTheAudio.

        `since` is when it was taken in. Repeating is harmless.
        """
        try:
            async with self.recordings.fetch(ref) as fetched:
                return await self.keep_audio(
                    account_id, object_id, fetched.content, fetched.type, largest, days=days
                )
        except AudioTooLarge:
            return AudioRefusal.TOO_LARGE
        except RecordingAbsent:
            return AudioRefusal.GONE
        except UnsupportedAudio:
            return AudioRefusal.UNSUPPORTED
        except (RecordingGone, RecordingUnfit, NotAudio) as error:
            if self.clock.now() < since + PATIENCE:
                raise NotYetTheAudio from None
            return AudioRefusal.GONE if isinstance(error, RecordingGone) else AudioRefusal.UNFIT
