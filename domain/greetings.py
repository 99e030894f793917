"""Greetings: what a caller hears of a line's owner before leaving a message, as words or as a recording."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, NewType, Self
from uuid import UUID

from domain.classification import held
from domain.kernel import AccountId, Aggregate, CarrierRef, ErrorKind, Event, LineId, ObjectId, PicoError
from domain.text import shown
from domain.values import PersonalText

GreetingId = NewType("GreetingId", UUID)

LARGEST_GREETING = 4 << 20
"""Bytes of a recorded greeting: two minutes of 16-bit telephone sound have 2 million."""


class GreetingState(StrEnum):
    """Where a greeting stands."""

    UPLOADED = "uploaded"
    """Its recording is on its way, from the person or from the carrier: callers hear the one before."""
    KEPT = "kept"
    REPLACED = "replaced"
    """Nobody hears it any more; it stays until the carrier's recording of it is gone."""


class GreetingSound(StrEnum):
    """The kinds of recordings that callers can be played."""

    WAV = "wav"
    MP3 = "mp3"

    @property
    def mime(self) -> str:
        """Its media type."""
        return "audio/wav" if self is GreetingSound.WAV else "audio/mpeg"


class InvalidGreeting(PicoError):
    """A greeting has 1 to 500 characters that can be seen, and no blank at either end."""

    code = "invalid_greeting"


class GreetingText(PersonalText):
    """What is read to callers."""

    __slots__ = ()
    LONGEST = 500

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the words; raises InvalidGreeting."""
        if not 1 <= len(text) <= cls.LONGEST or text.strip() != text or shown(text) != text:
            raise InvalidGreeting
        return cls(text)


class GreetingNotRecorded(PicoError):
    """The line's greeting has no recording."""

    kind = ErrorKind.CONFLICT
    code = "greeting_not_recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingBegun(Event):
    """A recorded greeting is being uploaded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingSpoken(Event):
    """The person said a greeting, whose recording waits with the carrier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingFetched(Event):
    """The recording of a greeting came from the carrier and is safe with us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GreetingReplaced(Event):
    """A greeting is not heard any more."""


@dataclass(slots=True, kw_only=True)
class Greeting(Aggregate):
    """What callers of a line hear: words, or the recording that is the object of the same id.

    `ref` is the carrier's recording of one that the person said on the telephone, until that is gone.
    """

    stored_as: ClassVar[str] = "greetings"
    clause: ClassVar[str] = "C21"

    account_id: AccountId
    id: GreetingId
    line_id: Annotated[LineId, held(bound=True)]
    state: Annotated[GreetingState, held(bound=True)] = GreetingState.KEPT
    words: GreetingText | None = None
    sound: Annotated[GreetingSound | None, held(bound=True)] = None
    size: Annotated[int, held(bound=True)] = 0
    created_at: datetime
    ref: Annotated[CarrierRef | None, held(exported=False, bound=True)] = None

    @classmethod
    def upload(cls, account_id: AccountId, greeting_id: GreetingId, line_id: LineId, at: datetime) -> Self:
        """Note that a recording is being uploaded."""
        greeting = cls(
            account_id=account_id,
            id=greeting_id,
            line_id=line_id,
            state=GreetingState.UPLOADED,
            created_at=at,
        )
        greeting.record(GreetingBegun(account_id=account_id, subject=greeting_id, at=at))
        return greeting

    @classmethod
    def spoken(
        cls, account_id: AccountId, greeting_id: GreetingId, line_id: LineId, ref: CarrierRef, at: datetime
    ) -> Self:
        """Note that the person said one, which the carrier recorded."""
        greeting = cls(
            account_id=account_id, id=greeting_id, line_id=line_id, state=GreetingState.UPLOADED, ref=ref, created_at=at
        )  # fmt: skip
        greeting.record(GreetingSpoken(account_id=account_id, subject=greeting_id, at=at))
        return greeting

    @property
    def object_id(self) -> ObjectId:
        """The object that holds its recording."""
        return ObjectId(self.id)

    @property
    def is_heard(self) -> bool:
        """Whether it can be played or read to callers."""
        return self.state is GreetingState.KEPT and not self.altered

    def keep(self, sound: GreetingSound, size: int) -> None:
        """Note that its recording is safe with us. Repeating is harmless."""
        self.state, self.sound, self.size = GreetingState.KEPT, sound, size

    @property
    def is_expected(self) -> bool:
        """Whether its recording is still to come from the carrier."""
        return self.state is GreetingState.UPLOADED and self.ref is not None

    def fetched(self, sound: GreetingSound, size: int, at: datetime) -> None:
        """Note that its recording came from the carrier and is safe with us."""
        self.keep(sound, size)
        self.record(GreetingFetched(account_id=self.account_id, subject=self.id, at=at))

    def replaced(self, at: datetime) -> None:
        """Note that it is not heard any more. Repeating is harmless."""
        if self.state is not GreetingState.REPLACED:
            self.state = GreetingState.REPLACED
            self.record(GreetingReplaced(account_id=self.account_id, subject=self.id, at=at))

    def carrier_copy_deleted(self) -> None:
        """Note that the carrier holds nothing of it any more. Repeating is harmless."""
        self.ref = None

    def must_be_recorded(self) -> GreetingSound:
        """Return the kind of its recording. Raises GreetingNotRecorded, SealBroken."""
        self.must_be_whole()
        if self.sound is None:
            raise GreetingNotRecorded
        return self.sound
