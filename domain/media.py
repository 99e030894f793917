"""Pictures that came with a message, or that are to go with one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from domain.classification import held
from domain.kernel import AccountId, Aggregate, ErrorKind, Event, MediaId, MessageId, ObjectId, PicoError

LARGEST = 5_000_000
"""Bytes of a picture that are taken in: no carrier brings or takes more (Twilio: 5 MB a message)."""
MOST = 10
"""Pictures that go with one message (Twilio: MediaUrl)."""


MOST_UNUSED = 20
"""Uploads of one account that go with no message yet."""


class MediaType(StrEnum):
    """The kinds of pictures that are kept: those that can be cleaned."""

    JPEG = "jpeg"
    PNG = "png"
    GIF = "gif"
    WEBP = "webp"

    @property
    def mime(self) -> str:
        """Its media type."""
        return f"image/{self.value}"


class MediaState(StrEnum):
    """Where a picture stands."""

    EXPECTED = "expected"
    """It is to be fetched from the carrier, or is being uploaded: its content may be there, or half of it."""
    KEPT = "kept"
    REFUSED = "refused"
    """It is not taken in, and stays with the carrier for as long as its message does."""


class MediaRefusal(StrEnum):
    """Why a picture is not taken in."""

    UNSUPPORTED = "unsupported"
    """It is no picture, or one of a kind that cannot be cleaned."""
    TOO_LARGE = "too_large"
    UNFIT = "unfit"
    """It is not what it is said to be, or damaged."""
    GONE = "gone"
    """The carrier does not have it any more."""


class MediaTooLarge(PicoError):
    """A picture has at most 5 MB."""

    code = "media_too_large"


class NotForPictures(PicoError):
    """The line, or its carrier, sends no pictures."""

    kind = ErrorKind.CONFLICT
    code = "line_without_pictures"


class TooManyUploads(PicoError):
    """Twenty pictures wait to be sent: send some, or wait for a day."""

    kind = ErrorKind.CONFLICT
    code = "too_many_uploads"


class MediaNotReady(PicoError):
    """The picture is not here, or not yet."""

    kind = ErrorKind.CONFLICT
    code = "media_not_ready"


class MediaUsed(PicoError):
    """A picture goes with one message only: upload it again for another."""

    kind = ErrorKind.CONFLICT
    code = "media_used"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaExpected(Event):
    """A message came with a picture, which waits with the carrier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaKept(Event):
    """A picture of this message is safe with us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaUploaded(Event):
    """A picture was uploaded, and waits to go with a message."""


@dataclass(slots=True, kw_only=True)
class Media(Aggregate):
    """One picture. Its content is the object of the same id; the row is there first, and goes last.

    `message_id` is None as long as an upload goes with no message. `size` is in bytes.
    """

    stored_as: ClassVar[str] = "media"
    clause: ClassVar[str] = "C15"

    account_id: AccountId
    id: MediaId
    message_id: Annotated[MessageId | None, held(bound=True)] = None
    position: Annotated[int, held(bound=True)] = 0
    state: Annotated[MediaState, held(bound=True)] = MediaState.EXPECTED
    type: Annotated[MediaType | None, held(bound=True)] = None
    size: Annotated[int, held(bound=True)] = 0
    refusal: MediaRefusal | None = None
    created_at: datetime

    @classmethod
    def expect(
        cls, account_id: AccountId, media_id: MediaId, message_id: MessageId, position: int, at: datetime
    ) -> Self:
        """Note a picture that came with a message, the `position`th of it, counted from 0."""
        media = cls(
            account_id=account_id, id=media_id, message_id=message_id, position=position, created_at=at
        )
        media.record(MediaExpected(account_id=account_id, subject=media_id, at=at))
        return media

    @classmethod
    def upload(cls, account_id: AccountId, media_id: MediaId, at: datetime) -> Self:
        """Note a picture that is being uploaded."""
        media = cls(account_id=account_id, id=media_id, created_at=at)
        media.record(MediaUploaded(account_id=account_id, subject=media_id, at=at))
        return media

    @property
    def object_id(self) -> ObjectId:
        """The object that holds its content."""
        return ObjectId(self.id)

    @property
    def is_expected(self) -> bool:
        """Whether its content is still to come."""
        return self.state is MediaState.EXPECTED

    @property
    def is_kept(self) -> bool:
        """Whether its content is safe with us."""
        return self.state is MediaState.KEPT

    def keep(self, media_type: MediaType, size: int, at: datetime) -> None:
        """Note that its content is safe with us. Repeating is harmless: the first time stands."""
        if self.is_expected:
            self.state, self.type, self.size = MediaState.KEPT, media_type, size
            if self.message_id is not None:
                self.record(MediaKept(account_id=self.account_id, subject=self.message_id, at=at))

    def refuse(self, why: MediaRefusal) -> None:
        """Note that it is not taken in. Repeating is harmless: the first time stands."""
        if self.is_expected:
            self.state, self.refusal = MediaState.REFUSED, why

    def must_be_here(self) -> MediaType:
        """Return its type. Raises MediaNotReady unless its content is safe with us, SealBroken."""
        self.must_be_whole()
        if not self.is_kept or self.type is None:
            raise MediaNotReady
        return self.type

    @property
    def is_unused(self) -> bool:
        """Whether it goes with no message."""
        return self.message_id is None

    def withdraw(self) -> None:
        """Note that it is not to be sent any more. Repeating is harmless."""
        self.state, self.refusal = MediaState.REFUSED, MediaRefusal.GONE

    def attach(self, message_id: MessageId, position: int) -> None:
        """Have it go with a message. Raises MediaNotReady, MediaUsed, SealBroken."""
        self.must_be_here()
        if self.message_id is not None:
            raise MediaUsed
        self.message_id, self.position = message_id, position
