"""Phone lines. A line is a lease on a number: what was said on it belongs to the line, never to the number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from domain.kernel import (
    AccountId,
    Aggregate,
    CarrierRef,
    ErrorKind,
    Event,
    IndexScope,
    LineId,
    PicoError,
    StorageKind,
    plain,
    sealed,
)
from domain.values import Capability, Country, Label, PhoneNumber


class LineState(StrEnum):
    """Where a line stands."""

    ORDERING = "ordering"
    """Intent is on record; whether the carrier sold the number is not known yet."""
    ACTIVE = "active"
    SUSPENDED = "suspended"
    """The account is leaving: nothing goes in or out."""
    RELEASING = "releasing"
    RELEASED = "released"
    FAILED = "failed"
    """The carrier would not sell the number."""


HOLDING = frozenset({LineState.ORDERING, LineState.ACTIVE, LineState.SUSPENDED, LineState.RELEASING})
"""States in which the number is, or may be, ours: no second line may lease it."""


class LineNotActive(PicoError):
    """The line is not active."""

    kind = ErrorKind.CONFLICT
    code = "line_not_active"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOrdered(Event):
    """Intent to buy is on record, before the carrier is asked."""

    line_id: LineId


@dataclass(frozen=True, slots=True, kw_only=True)
class LineActivated(Event):
    """The number is ours and reaches us."""

    line_id: LineId


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReleaseRequested(Event):
    """The person gave the line up."""

    line_id: LineId


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReleased(Event):
    """The carrier confirmed, on being asked, that the number is no longer ours."""

    line_id: LineId


@dataclass(slots=True, kw_only=True)
class PhoneLine(Aggregate):
    """A lease on one E.164 number."""

    stored_as: ClassVar[str] = "phone_lines"

    account_id: Annotated[AccountId, plain(StorageKind.ID, "C7", exported=False)]
    id: Annotated[LineId, plain(StorageKind.ID, "C7")]
    number: Annotated[PhoneNumber, sealed("C7", found=IndexScope.SYSTEM)]
    country: Annotated[Country, plain(StorageKind.ENUM, "C7")]
    capabilities: Annotated[frozenset[Capability], plain(StorageKind.ENUM, "C7")]
    label: Annotated[Label | None, sealed("C7")] = None
    state: Annotated[LineState, plain(StorageKind.ENUM, "C7")] = LineState.ORDERING
    ref: Annotated[CarrierRef | None, plain(StorageKind.REF, "C7")] = None
    created_at: Annotated[datetime, plain(StorageKind.TIME, "C7")]
    released_at: Annotated[datetime | None, plain(StorageKind.TIME, "C7")] = None

    @classmethod
    def order(
        cls,
        account_id: AccountId,
        line_id: LineId,
        *,
        number: PhoneNumber,
        country: Country,
        label: Label | None,
        at: datetime,
    ) -> Self:
        """Put the intent to lease `number` on record."""
        line = cls(
            account_id=account_id,
            id=line_id,
            number=number,
            country=country,
            capabilities=frozenset(),
            label=label,
            created_at=at,
        )
        line.record(LineOrdered(account_id=account_id, at=at, line_id=line_id))
        return line

    def activate(self, ref: CarrierRef, capabilities: frozenset[Capability], at: datetime) -> None:
        """Note that the carrier sold the number. Repeating is harmless."""
        if self.state is LineState.ORDERING:
            self.state, self.ref, self.capabilities = LineState.ACTIVE, ref, capabilities
            self.record(LineActivated(account_id=self.account_id, at=at, line_id=self.id))

    def fail(self) -> None:
        """Note that the carrier refused for good. Repeating is harmless."""
        if self.state is LineState.ORDERING:
            self.state = LineState.FAILED

    def must_be_active(self) -> None:
        """Raise LineNotActive unless texts may go in and out."""
        if self.state is not LineState.ACTIVE:
            raise LineNotActive

    def relabel(self, label: Label | None) -> None:
        """Give the line another name, or none."""
        self.label = label

    def suspend(self) -> None:
        """Let nothing in or out while the account is leaving."""
        if self.state is LineState.ACTIVE:
            self.state = LineState.SUSPENDED

    def resume(self) -> None:
        """Undo `suspend` when the person comes back."""
        if self.state is LineState.SUSPENDED:
            self.state = LineState.ACTIVE

    def release(self, at: datetime) -> None:
        """Give the number up. Repeating is harmless; raises LineNotActive while ordering or after failing."""
        if self.state in {LineState.RELEASING, LineState.RELEASED}:
            return
        if self.state not in {LineState.ACTIVE, LineState.SUSPENDED}:
            raise LineNotActive
        self.state = LineState.RELEASING
        self.record(LineReleaseRequested(account_id=self.account_id, at=at, line_id=self.id))

    def released(self, at: datetime) -> None:
        """Note that the carrier no longer holds the number for us. Repeating is harmless."""
        if self.state is not LineState.RELEASED:
            self.state, self.released_at = LineState.RELEASED, at
            self.record(LineReleased(account_id=self.account_id, at=at, line_id=self.id))
