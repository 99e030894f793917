"""What every aggregate stands on: ids, events, errors, and how each field is held at rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, NewType
from uuid import UUID

if TYPE_CHECKING:
    from datetime import datetime

AccountId = NewType("AccountId", UUID)
SessionId = NewType("SessionId", UUID)
LineId = NewType("LineId", UUID)
ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)
ExportId = NewType("ExportId", UUID)
IdempotencyRecordId = NewType("IdempotencyRecordId", UUID)
PartId = NewType("PartId", UUID)
AuditId = NewType("AuditId", UUID)

CarrierRef = NewType("CarrierRef", str)
"""A carrier's own opaque id for a number or a message."""


class StorageKind(StrEnum):
    """The only shapes a value may take at rest. There is no free text."""

    ID = "id"
    REF = "ref"
    TIME = "time"
    ENUM = "enum"
    COUNT = "count"
    INDEX = "index"
    SEALED = "sealed"


class IndexScope(StrEnum):
    """Under which key a value's fingerprint is made, and so how far equality can be seen."""

    SYSTEM = "anywhere"
    """The system key: needed to find an account by it (own number, e-mail, token)."""
    ACCOUNT = "in_account"
    """The account's key: equality never links two accounts, and dies with the key."""


@dataclass(frozen=True, slots=True)
class StoragePolicy:
    """How one field is held: its kind at rest, the clause that allows it, whether the person's export shows it.

    A sealed field with `found` is held a second time, as a keyed fingerprint, so that it can be looked up.
    """

    kind: StorageKind
    clause: str
    exported: bool = True
    found: IndexScope | None = None


def sealed(clause: str, *, exported: bool = True, found: IndexScope | None = None) -> StoragePolicy:
    """StoragePolicy as AES-256-GCM ciphertext only."""
    return StoragePolicy(StorageKind.SEALED, clause, exported, found)


def index(clause: str, found: IndexScope) -> StoragePolicy:
    """StoragePolicy as a keyed fingerprint only: it can be matched, never read back, so it is never exported."""
    return StoragePolicy(StorageKind.INDEX, clause, exported=False, found=found)


def plain(kind: StorageKind, clause: str, *, exported: bool = True) -> StoragePolicy:
    """StoragePolicy as it is: ids, provider references, instants, members of a closed set, counts."""
    return StoragePolicy(kind, clause, exported)


class ErrorKind(StrEnum):
    """What went wrong, as far as a caller can act on it."""

    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


class PicoError(Exception):
    """A rule said no. The class's docstring is the whole message: errors never quote a value."""

    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    code: ClassVar[str] = "invalid"

    def __str__(self) -> str:
        """Return the first line of the class's docstring."""
        return (type(self).__doc__ or type(self).__name__).strip().splitlines()[0]


class NotFound(PicoError):
    """Nothing of this account has that id."""

    kind = ErrorKind.NOT_FOUND
    code = "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. Events carry ids, instants, enums and counts; never content."""

    account_id: AccountId
    at: datetime


@dataclass(slots=True, kw_only=True)
class Aggregate:
    """A cluster that changes as one. `version` counts its commits: 0 means never stored.

    `origin` is the row it was loaded from, kept by the store so that only changed fields are written.
    """

    stored_as: ClassVar[str]

    version: int = 0
    origin: Any = field(default=None, repr=False, compare=False)
    events: list[Event] = field(default_factory=list, repr=False, compare=False)

    def record(self, event: Event) -> None:
        """Remember what happened until the unit of work collects it."""
        self.events.append(event)

    def collect(self) -> list[Event]:
        """Hand over what happened since the last collection, and forget it."""
        events, self.events = self.events, []
        return events
