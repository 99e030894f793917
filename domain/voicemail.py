"""Voicemail: what a caller left on a line, as audio and as text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, NewType, Self
from uuid import UUID

from domain.classification import held
from domain.kernel import AccountId, Aggregate, CarrierRef, ErrorKind, Event, LineId, ObjectId, PicoError
from domain.text import shown
from domain.values import Peer, PersonalText

VoicemailId = NewType("VoicemailId", UUID)

LARGEST = 64 << 20
"""Bytes of audio that are taken in: an hour of 16-bit telephone sound has 58 million."""
SHORTEST = timedelta(seconds=2)
"""Less is somebody who hung up at the tone, and no voicemail."""
UNDO_FOR = timedelta(hours=1)
"""How long a deletion can be undone."""


class AudioType(StrEnum):
    """The kinds of audio that are kept."""

    WAV = "wav"
    MP3 = "mp3"

    @property
    def mime(self) -> str:
        """Its media type."""
        return "audio/wav" if self is AudioType.WAV else "audio/mpeg"


class VoicemailState(StrEnum):
    """Where the audio of a voicemail stands."""

    EXPECTED = "expected"
    """It is to be fetched from the carrier."""
    KEPT = "kept"
    REFUSED = "refused"
    """It is not taken in, and stays with the carrier until the voicemail is deleted or its time is over."""
    EXPIRED = "expired"
    """It was kept for its time. The transcript stays."""


class AudioRefusal(StrEnum):
    """Why audio is not taken in."""

    UNSUPPORTED = "unsupported"
    """It is no audio, or of a kind that is not kept."""
    TOO_LARGE = "too_large"
    UNFIT = "unfit"
    """It is not what it is said to be, or cut short."""
    GONE = "gone"
    """The carrier does not have it."""


class TranscriptState(StrEnum):
    """Where the transcript of a voicemail stands."""

    PENDING = "pending"
    DONE = "done"
    CORRECTED = "corrected"
    """The person wrote down what was really said."""
    FAILED = "failed"
    """It was tried, and came to nothing."""
    ABSENT = "absent"
    """Nobody tries; the absence says why."""


class TranscriptAbsence(StrEnum):
    """Why there is no transcript."""

    LANGUAGE = "language"
    """The transcriber does not know the person's language."""
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    NOTHING_SAID = "nothing_said"
    NEVER_CAME = "never_came"
    """The transcriber never answered."""
    RESTRICTED = "restricted"
    """The account was frozen: nobody was asked to write it down."""


class InvalidTranscript(PicoError):
    """A transcript has 1 to 20,000 characters: lines, tabs and what can be seen."""

    code = "invalid_transcript"


class Transcript(PersonalText):
    """What was said, in writing."""

    __slots__ = ()
    LONGEST = 20_000

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the transcript that a person writes, each line ended by a line feed; raises InvalidTranscript."""
        written = text.replace("\r\n", "\n").replace("\r", "\n")
        seen = written.replace("\n", "").replace("\t", "")
        if not 1 <= len(written) <= cls.LONGEST or not written.strip() or shown(seen) != seen:
            raise InvalidTranscript
        return cls(written)

    @classmethod
    def heard(cls, text: str) -> Self | None:
        """Return what a transcriber made of it, without what cannot be seen; None where that says nothing."""
        words = " ".join(shown(" ".join(text.split()))[: cls.LONGEST].split())
        return cls(words) if words else None


class AudioDigest(PersonalText):
    """The SHA-256 of the audio, in hexadecimal."""

    __slots__ = ()


class AudioNotHere(PicoError):
    """The audio is not here: not yet, not any more, or it was not taken in."""

    kind = ErrorKind.CONFLICT
    code = "audio_not_here"


class TooLateToUndo(PicoError):
    """The voicemail was deleted more than an hour ago."""

    kind = ErrorKind.CONFLICT
    code = "too_late_to_undo"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailLeft(Event):
    """Somebody left a voicemail, which waits with the carrier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailKept(Event):
    """The audio of a voicemail is safe with us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailSettled(Event):
    """A voicemail's transcript came, or will not come any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailExpired(Event):
    """The audio of a voicemail has been kept for its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailDeleted(Event):
    """The person deleted a voicemail."""


@dataclass(frozen=True, slots=True)
class Audio:
    """Audio that is safe with us: its kind, its size in bytes, its digest."""

    type: AudioType
    size: int
    digest: AudioDigest


@dataclass(slots=True, kw_only=True)
class Voicemail(Aggregate):
    """What one caller left. Its audio is the object of the same id; the row is there first, and goes last.

    `caller` is None where it was withheld; `duration` is how many seconds it lasts, as the carrier says. `ref` is the
    carrier's recording, `transcription` what the carrier made of it in writing.
    """

    stored_as: ClassVar[str] = "voicemails"
    clause: ClassVar[str] = "C10"

    account_id: AccountId
    id: VoicemailId
    line_id: Annotated[LineId, held(bound=True)]
    caller: Peer | None = None
    state: Annotated[VoicemailState, held(bound=True)] = VoicemailState.EXPECTED
    type: Annotated[AudioType | None, held(bound=True)] = None
    size: Annotated[int, held(bound=True)] = 0
    digest: AudioDigest | None = None
    duration: int = 0
    refusal: AudioRefusal | None = None
    transcript: Transcript | None = None
    transcript_state: Annotated[TranscriptState, held(bound=True)] = TranscriptState.PENDING
    absence: TranscriptAbsence | None = None
    created_at: Annotated[datetime, held(bound=True)]
    heard_at: datetime | None = None
    ref: Annotated[CarrierRef, held(exported=False, bound=True)]
    transcription: Annotated[CarrierRef | None, held(exported=False, bound=True)] = None
    copy_deleted_at: Annotated[datetime | None, held(exported=False, bound=True)] = None
    deleted_at: Annotated[datetime | None, held(exported=False, bound=True)] = None

    @classmethod
    def leave(
        cls,
        account_id: AccountId,
        voicemail_id: VoicemailId,
        line_id: LineId,
        caller: Peer | None,
        ref: CarrierRef,
        length: timedelta,
        absence: TranscriptAbsence | None,
        at: datetime,
    ) -> Self:
        """Note what a caller left. `absence`: why there will be no transcript; None where one is being made."""
        voicemail = cls(
            account_id=account_id, id=voicemail_id, line_id=line_id, caller=caller, ref=ref, created_at=at,
            duration=int(length.total_seconds()), absence=absence,
            transcript_state=TranscriptState.PENDING if absence is None else TranscriptState.ABSENT,
        )  # fmt: skip
        voicemail.record(VoicemailLeft(account_id=account_id, subject=voicemail_id, at=at))
        return voicemail

    @property
    def object_id(self) -> ObjectId:
        """The object that holds its audio."""
        return ObjectId(self.id)

    @property
    def is_expected(self) -> bool:
        """Whether its audio is still to come."""
        return self.state is VoicemailState.EXPECTED

    @property
    def is_kept(self) -> bool:
        """Whether its audio is safe with us."""
        return self.state is VoicemailState.KEPT

    @property
    def is_deleted(self) -> bool:
        """Whether the person deleted it."""
        return self.deleted_at is not None

    @property
    def has_carrier_copy(self) -> bool:
        """Whether the carrier may still hold the recording, or its transcript."""
        return self.copy_deleted_at is None

    @property
    def copy_may_go(self) -> bool:
        """Whether the carrier's copy is not needed any more: all of it is safe with us, or its time is over."""
        if self.state is VoicemailState.EXPIRED:
            return True
        return self.is_kept and self.transcript_state is not TranscriptState.PENDING

    def keep(self, audio: Audio, at: datetime) -> None:
        """Note that its audio is safe with us. Repeating is harmless: the first time stands."""
        if self.is_expected:
            self.state, self.type, self.size, self.digest = (
                VoicemailState.KEPT, audio.type, audio.size, audio.digest,
            )  # fmt: skip
            self._record(VoicemailKept, at)

    def refuse(self, why: AudioRefusal) -> None:
        """Note that its audio is not taken in. Repeating is harmless: the first time stands."""
        if self.is_expected:
            self.state, self.refusal = VoicemailState.REFUSED, why

    def expire(self, at: datetime) -> None:
        """Note that its audio has been kept for its time, wherever it lay. Repeating is harmless."""
        if self.state is not VoicemailState.EXPIRED:
            self.let_go()
            self._record(VoicemailExpired, at)

    def let_go(self) -> None:
        """Note that nothing needs its audio any more: from now on it may go. Repeating is harmless."""
        self.state, self.type, self.size, self.digest = VoicemailState.EXPIRED, None, 0, None

    def must_be_here(self) -> AudioType:
        """Return the kind of its audio. Raises AudioNotHere unless it is safe with us, SealBroken."""
        self.must_be_whole()
        if not self.is_kept or self.type is None:
            raise AudioNotHere
        return self.type

    def write_down(self, text: Transcript, at: datetime) -> None:
        """Note what a transcriber made of it. Repeating is harmless; what the person wrote stands."""
        if self.transcript_state is not TranscriptState.CORRECTED:
            self.transcript, self.transcript_state, self.absence = text, TranscriptState.DONE, None
        self._record(VoicemailSettled, at)

    def go_without(self, why: TranscriptAbsence | None, at: datetime) -> None:
        """Note that there is no transcript: `why`, or None where one was tried. One that is there stands."""
        if self.transcript_state is TranscriptState.PENDING:
            self.transcript_state = TranscriptState.FAILED if why is None else TranscriptState.ABSENT
            self.absence = why
        self._record(VoicemailSettled, at)

    def transcribed_at_carrier(self, transcription: CarrierRef) -> None:
        """Note that the carrier holds a transcript, by its reference: that goes, too. Repeating is harmless."""
        if self.transcription != transcription:
            self.transcription, self.copy_deleted_at = transcription, None

    def correct(self, text: Transcript) -> None:
        """Put what the person wrote in the place of the transcript."""
        self.transcript, self.transcript_state, self.absence = text, TranscriptState.CORRECTED, None
        self.unreadable -= {"transcript"}

    def mark(self, *, heard: bool, at: datetime) -> None:
        """Note whether the person heard it. The first time stands."""
        self.heard_at = (self.heard_at or at) if heard else None

    def carrier_copy_deleted(self, at: datetime) -> None:
        """Note that the carrier holds nothing of it any more. Repeating is harmless."""
        self.copy_deleted_at = self.copy_deleted_at or at

    def delete(self, at: datetime) -> None:
        """Delete it. Repeating is harmless: the first time stands."""
        if self.deleted_at is None:
            self.deleted_at = at
            self._record(VoicemailDeleted, at)

    @property
    def undo_until(self) -> datetime | None:
        """Until when its deletion can be undone; None where it is not deleted."""
        return None if self.deleted_at is None else self.deleted_at + UNDO_FOR

    def restore(self, at: datetime) -> None:
        """Undo its deletion. Raises TooLateToUndo, SealBroken. Repeating is harmless."""
        self.must_be_whole()
        if self.undo_until is not None and at >= self.undo_until:
            raise TooLateToUndo
        self.deleted_at = None

    def _record(self, event: Callable[..., Event], at: datetime) -> None:
        self.record(event(account_id=self.account_id, subject=self.id, at=at))
