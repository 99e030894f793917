"""Phone lines. A line is a lease on a number: what was said on it belongs to the line, never to the number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from domain.classification import IndexScope, held
from domain.forwarding import ForwardWhen
from domain.kernel import (
    AccountId,
    Aggregate,
    CarrierRef,
    ErrorKind,
    Event,
    LineId,
    PicoError,
    SealBroken,
)
from domain.quiet_hours import QuietHours
from domain.values import Capability, Country, Label, PhoneNumber


class LineState(StrEnum):
    """Where a line stands."""

    ORDERING = "ordering"
    """Intent is on record; whether the carrier sold the number is not known yet."""
    ACTIVE = "active"
    SUSPENDED = "suspended"
    """The account waits to be deleted, is not paid for, or is frozen and refuses all: nothing goes in or out."""
    RESTRICTED = "restricted"
    """The account is frozen: what comes in is kept, nobody is disturbed, and nothing goes out."""
    PENDING_RELEASE = "pending_release"
    """Given up: nothing goes in or out, and until `release_at` the person may take it back."""
    RELEASING = "releasing"
    RELEASED = "released"
    LOST = "lost"
    """The carrier does not hold the number for us any more, and nobody here gave it up."""
    PORTED_OUT = "ported_out"
    """Another carrier has taken the number over."""
    FAILED = "failed"
    """The carrier would not sell the number."""


HOLDING = frozenset(
    {
        LineState.ORDERING,
        LineState.ACTIVE,
        LineState.SUSPENDED,
        LineState.RESTRICTED,
        LineState.PENDING_RELEASE,
        LineState.RELEASING,
    }
)
"""States in which the number is, or may be, ours: no second line may lease it."""
GONE = frozenset({LineState.LOST, LineState.PORTED_OUT})
"""States of a line whose number went without our giving it up."""


class NoCountry(PicoError):
    """The number belongs to no country: nobody could be called from it."""

    code = "number_without_country"


class NumberTaken(PicoError):
    """The number is no longer available."""

    kind = ErrorKind.CONFLICT
    code = "number_taken"


class PriceChanged(PicoError):
    """The number costs another amount a month than the one that was agreed to: nothing was bought."""

    kind = ErrorKind.CONFLICT
    code = "price_changed"


class NotForMessages(PicoError):
    """The line's number carries no messages."""

    kind = ErrorKind.CONFLICT
    code = "line_without_messages"


class NotForCalls(PicoError):
    """The line's number carries no calls."""

    kind = ErrorKind.CONFLICT
    code = "line_without_calls"


class LineNotActive(PicoError):
    """The line is not active."""

    kind = ErrorKind.CONFLICT
    code = "line_not_active"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOrdered(Event):
    """Intent to buy is on record, before the carrier is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineActivated(Event):
    """The number is ours and reaches us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReleaseRequested(Event):
    """The person gave the line up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReleaseCancelled(Event):
    """The person took the line back in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReleased(Event):
    """The carrier confirmed, on being asked, that the number is no longer ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineResumed(Event):
    """The person came back, and so did the line: the carrier is asked whether it still has the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLost(Event):
    """The carrier turned out not to hold the number for us any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRefused(Event):
    """The carrier had recorded a call of this line, which nobody asked for: the recording was deleted."""


@dataclass(slots=True, kw_only=True)
class PhoneLine(Aggregate):
    """A lease on one E.164 number."""

    stored_as: ClassVar[str] = "phone_lines"
    clause: ClassVar[str] = "C7"

    account_id: AccountId
    id: LineId
    number: Annotated[PhoneNumber, held(index=IndexScope.SYSTEM)]
    country: Country
    capabilities: frozenset[Capability]
    label: Label | None = None
    state: Annotated[LineState, held(bound=True)] = LineState.ORDERING
    ref: Annotated[CarrierRef | None, held(bound=True)] = None
    created_at: Annotated[datetime, held(bound=True)]
    released_at: Annotated[datetime | None, held(final=True)] = None
    release_at: Annotated[datetime | None, held(bound=True)] = None
    """When a number that was given up goes back to the carrier."""
    do_not_disturb: QuietHours | None = None
    """When it tells nobody that something came in. Damaged, it tells always."""
    forward_to: Annotated[PhoneNumber | None, held("C20")] = None
    forward_when: Annotated[frozenset[ForwardWhen], held("C20")] = frozenset()

    @classmethod
    def order(
        cls,
        account_id: AccountId,
        line_id: LineId,
        *,
        number: PhoneNumber,
        country: Country | None,
        label: Label | None,
        at: datetime,
    ) -> Self:
        """Put the intent to lease `number`, which is of `country`, on record. Raises NoCountry if it is of none."""
        if country is None:
            raise NoCountry
        line = cls(
            account_id=account_id,
            id=line_id,
            number=number,
            country=country,
            capabilities=frozenset(),
            label=label,
            created_at=at,
        )
        line.record(LineOrdered(account_id=account_id, subject=line_id, at=at))
        return line

    def activate(self, ref: CarrierRef, capabilities: frozenset[Capability], at: datetime) -> None:
        """Note that the carrier sold the number. Repeating is harmless.

        A line that had failed is active all the same: the carrier bills for it, so it is to be used or released.
        """
        if self.state in {LineState.ORDERING, LineState.FAILED}:
            self.state, self.ref, self.capabilities = LineState.ACTIVE, ref, capabilities
            self.record(LineActivated(account_id=self.account_id, subject=self.id, at=at))

    def fail(self) -> None:
        """Note that the carrier will not sell the number. Repeating is harmless."""
        if self.state is LineState.ORDERING:
            self.state = LineState.FAILED

    @property
    def is_ordering(self) -> bool:
        """Whether the carrier has not answered for certain yet."""
        return self.state is LineState.ORDERING

    @property
    def has_failed(self) -> bool:
        """Whether the carrier refused to sell the number."""
        return self.state is LineState.FAILED

    @property
    def accepts_messages(self) -> bool:
        """Whether messages may go in and out."""
        return self.state is LineState.ACTIVE

    def must_take_calls(self) -> None:
        """Raise LineNotActive unless calls may go in and out, NotForCalls if its number carries none.

        Raises SealBroken for a line that was altered.
        """
        self.must_be_whole()
        if not self.lets_calls_out:
            raise LineNotActive
        if Capability.VOICE not in self.capabilities:
            raise NotForCalls

    @property
    def takes_calls_in(self) -> bool:
        """Whether somebody who calls it gets through: to an app, another telephone or the mailbox."""
        return self.state in {LineState.ACTIVE, LineState.RESTRICTED}

    @property
    def lets_calls_out(self) -> bool:
        """Whether somebody can be called from it, and calls to it can go on to another telephone."""
        return self.state is LineState.ACTIVE

    @property
    def is_restricted(self) -> bool:
        """Whether it keeps what comes in and does nothing with it."""
        return self.state is LineState.RESTRICTED

    @property
    def takes_messages_in(self) -> bool:
        """Whether what is sent to it is kept: from the order on, because the carrier may know first that it is ours."""
        return self.accepts_messages or self.is_restricted or self.is_ordering

    @property
    def holds_number(self) -> bool:
        """Whether the number is, or may be, ours on this line: no second line may lease it."""
        return self.state in HOLDING

    def is_listed_by(self, field: str) -> bool:
        """Tell whether what is sent to the number belongs to this line."""
        return self.holds_number

    @property
    def held_at_carrier(self) -> bool:
        """Whether the carrier may still hold the number for us: a release counts only once it was read back."""
        return self.released_at is None

    def was_ours_at(self, instant: datetime) -> bool:
        """Tell whether `instant` falls into the lease: what was sent before it or after it is somebody else's."""
        return self.created_at <= instant and (self.released_at is None or instant <= self.released_at)

    def must_be_of(self, number: PhoneNumber) -> None:
        """Raise SealBroken unless it is a lease on this number: whoever led here was altered."""
        if self.number != number:
            raise SealBroken

    @property
    def sends_pictures(self) -> bool:
        """Whether its number carries pictures."""
        return Capability.MMS in self.capabilities

    def must_accept_messages(self) -> None:
        """Raise LineNotActive unless messages may go in and out, NotForMessages if its number carries none.

        Raises SealBroken for a line that was altered.
        """
        self.must_be_whole()
        if not self.accepts_messages:
            raise LineNotActive
        if Capability.SMS not in self.capabilities:
            raise NotForMessages

    def relabel(self, label: Label | None) -> None:
        """Give the line another name, or none."""
        self.label = label

    def be_quiet_during(self, hours: QuietHours | None) -> None:
        """Have the line not disturb in these hours, or disturb always."""
        self.do_not_disturb = hours

    def is_quiet(self, now: datetime) -> bool:
        """Tell whether it is not to disturb: messages are kept and nothing is pushed, calls go to voicemail."""
        quiet = self.do_not_disturb is not None and self.do_not_disturb.cover(now)
        return quiet or self.is_restricted

    def forward(self, to: PhoneNumber | None, when: frozenset[ForwardWhen]) -> None:
        """Have calls go on to another telephone in these cases; to none where there is no case. Repeatable."""
        self.forward_to, self.forward_when = (to, when) if to is not None and when else (None, frozenset())
        self.unreadable -= {"forward_to"}

    @property
    def forwards(self) -> frozenset[ForwardWhen]:
        """When its calls go on to another telephone: never while nothing goes out, or that number cannot be read."""
        return self.forward_when if self.forward_to is not None and self.lets_calls_out else frozenset()

    def recording_refused(self, at: datetime) -> None:
        """Note that the carrier had recorded a call, and that the recording was deleted."""
        self.record(RecordingRefused(account_id=self.account_id, subject=self.id, at=at))

    def suspend(self) -> None:
        """Let nothing in or out while the account waits to be deleted, or nobody pays."""
        if self.state in {LineState.ACTIVE, LineState.RESTRICTED}:
            self.state = LineState.SUSPENDED

    def restrict(self, *, takes_in: bool) -> None:
        """Freeze it: nothing goes out, and what comes in is kept or not. Repeating is harmless.

        A line that was altered stays shut.
        """
        if not takes_in:
            self.suspend()
        elif self.state in {LineState.ACTIVE, LineState.SUSPENDED} and not self.altered:
            self.state = LineState.RESTRICTED

    def resume(self, at: datetime) -> None:
        """Undo `suspend` and `restrict`. A line that was altered stays shut."""
        if self.state in {LineState.SUSPENDED, LineState.RESTRICTED} and not self.altered:
            self.state = LineState.ACTIVE
            self.record(LineResumed(account_id=self.account_id, subject=self.id, at=at))

    @property
    def may_be_lost(self) -> bool:
        """Whether we count on the carrier to hold the number."""
        return self.state in {
            LineState.ACTIVE,
            LineState.SUSPENDED,
            LineState.RESTRICTED,
            LineState.PENDING_RELEASE,
        }

    def can_do(self, capabilities: frozenset[Capability]) -> None:
        """Note what the number can do by now."""
        self.capabilities = capabilities

    def lose(self, at: datetime, *, ported_out: bool = False) -> None:
        """Note that the carrier no longer holds the number for us. Repeating is harmless."""
        if self.may_be_lost:
            self.state, self.released_at = LineState.PORTED_OUT if ported_out else LineState.LOST, at
            self.record(LineLost(account_id=self.account_id, subject=self.id, at=at))

    @property
    def may_be_given_up(self) -> bool:
        """Whether the number is ours for certain, and not on its way back."""
        return self.state in {LineState.ACTIVE, LineState.SUSPENDED, LineState.RESTRICTED}

    def release(self, at: datetime, release_at: datetime) -> bool:
        """Give the number up: it goes back to the carrier at `release_at`. Tell whether this was news.

        Repeating is harmless. Raises LineNotActive while ordering or after failing.
        """
        if self.state in {LineState.PENDING_RELEASE, LineState.RELEASING, LineState.RELEASED, *GONE}:
            return False
        if not self.may_be_given_up:
            raise LineNotActive
        self.state, self.release_at = LineState.PENDING_RELEASE, release_at
        self.record(LineReleaseRequested(account_id=self.account_id, subject=self.id, at=at))
        return True

    def cancel_release(self, at: datetime) -> None:
        """Take the number back. Repeating is harmless; raises LineNotActive once it goes back to the carrier."""
        if self.state in {LineState.ACTIVE, LineState.RESTRICTED}:
            return
        if self.state is not LineState.PENDING_RELEASE:
            raise LineNotActive
        self.state, self.release_at = LineState.ACTIVE, None
        self.record(LineReleaseCancelled(account_id=self.account_id, subject=self.id, at=at))

    def kept_for(self, now: datetime) -> timedelta | None:
        """Return how long a number that was given up may still be taken back; None for any other line."""
        return self.release_at - now if self.state is LineState.PENDING_RELEASE and self.release_at else None

    def begin_release(self, now: datetime) -> bool:
        """Tell whether the number is to go back by `now`; from then on it cannot be taken back. Repeatable."""
        wait = self.kept_for(now)
        if wait is not None and wait <= timedelta():
            self.state = LineState.RELEASING
        return self.state in {LineState.RELEASING, *GONE}

    def released(self, at: datetime) -> None:
        """Note that the carrier no longer holds the number for us. Repeating is harmless."""
        if self.state not in {LineState.RELEASED, *GONE}:
            self.state, self.released_at = LineState.RELEASED, at
            self.record(LineReleased(account_id=self.account_id, subject=self.id, at=at))
