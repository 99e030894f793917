"""What every aggregate stands on: ids, events and errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, NewType
from uuid import UUID

if TYPE_CHECKING:
    from datetime import datetime, timedelta

AccountId = NewType("AccountId", UUID)
SessionId = NewType("SessionId", UUID)
LineId = NewType("LineId", UUID)
ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)
ExportId = NewType("ExportId", UUID)
IdempotencyRecordId = NewType("IdempotencyRecordId", UUID)
PartId = NewType("PartId", UUID)
AuditId = NewType("AuditId", UUID)
OptOutId = NewType("OptOutId", UUID)
ObjectId = NewType("ObjectId", UUID)
MediaId = NewType("MediaId", UUID)
CallId = NewType("CallId", UUID)
WebhookEndpointId = NewType("WebhookEndpointId", UUID)

CarrierRef = NewType("CarrierRef", str)
"""A carrier's own opaque id for a number, a message, a call or a recording."""


class ErrorKind(StrEnum):
    """What went wrong, as far as a caller can act on it."""

    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    OUTDATED = "outdated"
    """It rests on an earlier reading."""
    UNAUTHENTICATED = "unauthenticated"
    """Who is asking is not known: other credentials may help."""
    FORBIDDEN = "forbidden"
    """Who is asking is known, and may not, or not now."""
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"
    """Something that is needed is away; asking again later helps."""
    BROKEN = "broken"
    """Something of ours is damaged, and stays so until somebody mends it: asking again does not help."""
    FULL = "full"
    """There is no room left: asking again helps once somebody has made some."""
    LIMITED = "limited"
    """Asked too often: `retry_after` says when to come back."""


class PicoError(Exception):
    """A rule said no. The class's docstring is the whole message: errors never quote a value."""

    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    code: ClassVar[str] = "invalid"

    retry_after: timedelta | None = None
    """How long to wait before asking again, where that is known."""

    def __str__(self) -> str:
        """Return the first line of the class's docstring."""
        return (type(self).__doc__ or type(self).__name__).strip().splitlines()[0]


class NotFound(PicoError):
    """Nothing of this account has that id."""

    kind = ErrorKind.NOT_FOUND
    code = "not_found"


class ChangedMeanwhile(PicoError):
    """This was changed since it was read: read it again, and decide anew."""

    kind = ErrorKind.OUTDATED
    code = "changed_meanwhile"


class SealBroken(PicoError):
    """What this needs is damaged: a sealed value does not open here. What still opens can be read and deleted."""

    kind = ErrorKind.CONFLICT
    code = "seal_broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to one subject, named by its id. Events never carry content."""

    account_id: AccountId
    subject: UUID
    at: datetime


@dataclass(slots=True, kw_only=True)
class Aggregate:
    """A cluster of values that changes as one.

    `version` counts its commits: 0 means never stored. Fields that a subclass declares are kept at rest under
    `clause` of PRIVACY.md unless they say otherwise (`domain.classification`).
    """

    stored_as: ClassVar[str]
    clause: ClassVar[str]

    version: int = 0
    events: list[Event] = field(default_factory=list, repr=False, compare=False)
    unreadable: frozenset[str] = frozenset()
    """Sealed fields that do not open, of a broken row that was asked for all the same. Their values are None."""
    altered: bool = False
    """Whether the seal over the plain values that decide something does not open: none of them is to be believed."""

    outdated: bool = False
    """Whether the row is an earlier one that somebody put back: it was over before. Nothing of it opens."""

    @property
    def usable_until(self) -> datetime | None:
        """Return until when it could be used if it were not over; None: for as long as the account is there."""
        return None

    def record(self, event: Event) -> None:
        """Remember what happened until the unit of work collects it."""
        self.events.append(event)

    def collect(self) -> list[Event]:
        """Hand over what happened since the last collection, and forget it."""
        events, self.events = self.events, []
        return events

    def must_be_one_of(self, versions: frozenset[int] | None) -> None:
        """Raise ChangedMeanwhile unless it is as it was at one of these versions; None asks for none."""
        if versions is not None and self.version not in versions:
            raise ChangedMeanwhile

    def must_be_whole(self) -> None:
        """Raise SealBroken unless the plain values that decide something are those that were sealed."""
        if self.altered:
            raise SealBroken

    def is_listed_by(self, field: str) -> bool:
        """Tell whether the global directory leads to it by this field, which has a blind index under the system key."""
        return True
