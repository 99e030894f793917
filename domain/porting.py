"""Port requests: a number that somebody brings along from another carrier."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, NewType, Self
from uuid import UUID

from domain.classification import held
from domain.kernel import AccountId, Aggregate, CarrierRef, ErrorKind, Event, LineId, PicoError
from domain.text import shown
from domain.values import Email, PersonalText, PhoneNumber

PortRequestId = NewType("PortRequestId", UUID)

DETAILS_KEPT = timedelta(days=7)
"""How long what the former carrier is to be told is kept at most, if it cannot be handed on."""
MOST_PORTS = 100
"""Of one account, whatever became of them."""
LARGEST_BILL = 5 << 20
"""Bytes of a bill."""
SOONEST, LATEST = timedelta(minutes=5), timedelta(hours=6)
"""After how long the carrier is asked again: sooner when the request is young."""


class PortState(StrEnum):
    """Where a request stands, in the order in which it moves on."""

    DRAFT = "draft"
    """The bill is missing that shows whose the number is."""
    REQUESTED = "requested"
    """All is there, and the carrier has not taken it for certain."""
    SUBMITTED = "submitted"
    AWAITING_SIGNATURE = "awaiting_signature"
    """The carrier has mailed the letter of authorization to whoever signs it."""
    IN_PROGRESS = "in_progress"
    """The former carrier is asked."""
    SCHEDULED = "scheduled"
    """The former carrier agreed, and the day is fixed."""
    COMPLETED = "completed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


OVER = frozenset({PortState.COMPLETED, PortState.REJECTED, PortState.CANCELLED})
_RANK = {state: rank for rank, state in enumerate(PortState)}


class PortRejection(StrEnum):
    """Why a request was refused."""

    NOT_PORTABLE = "not_portable"
    UNDER_WAY = "under_way"
    """The number is being ported already."""
    DETAILS_DIFFER = "details_differ"
    """The former carrier knows the subscriber otherwise: a name, an address, an account number or a PIN."""
    EXPIRED = "expired"
    """It was not signed, or not submitted, in time."""
    OTHER = "other"


class NumberNotPortable(PicoError):
    """The carrier cannot take this number over."""

    kind = ErrorKind.CONFLICT
    code = "number_not_portable"


class PortUnderWay(PicoError):
    """The number is being ported already."""

    kind = ErrorKind.CONFLICT
    code = "port_under_way"


class PortAccountMissing(PicoError):
    """Of this number the former carrier's account number and PIN are needed."""

    code = "port_account_missing"


class PortNotADraft(PicoError):
    """The request has its bill already, or is over."""

    kind = ErrorKind.CONFLICT
    code = "port_not_a_draft"


class PortOver(PicoError):
    """The request is over: there is nothing to cancel."""

    kind = ErrorKind.CONFLICT
    code = "port_over"


class TooManyPorts(PicoError):
    """An account has at most 100 port requests."""

    kind = ErrorKind.CONFLICT
    code = "too_many_port_requests"


class NotABill(PicoError):
    """This is no PDF file."""

    code = "not_a_bill"


class InvalidPortText(PicoError):
    """What a former carrier is told has 1 to 100 characters that can be seen, and no blank at either end."""

    code = "invalid_port_text"


class PortText(PersonalText):
    """Something by which the former carrier knows the subscriber."""

    __slots__ = ()
    LONGEST = 100

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the text; raises InvalidPortText."""
        if not 1 <= len(text) <= cls.LONGEST or text.strip() != text or shown(text) != text:
            raise InvalidPortText
        return cls(text)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Subscriber:
    """Whose the number is, as the former carrier has it. Its `repr` shows nothing."""

    is_business: bool
    name: PortText
    signer: PortText
    """Who may sign for it; the letter goes to `signer_email`."""
    signer_email: Email
    street: PortText
    city: PortText
    region: PortText
    postal_code: PortText
    account_number: PortText | None = None
    pin: PortText | None = None


class PortDetails(PersonalText):
    """What the former carrier is to be told of the subscriber, as one text."""

    __slots__ = ()

    @classmethod
    def of(cls, subscriber: Subscriber) -> Self:
        """Put it into one text."""
        return cls(json.dumps(asdict(subscriber), ensure_ascii=False))

    @property
    def subscriber(self) -> Subscriber:
        """Whom it tells of."""
        said = json.loads(self)

        def maybe(name: str) -> PortText | None:
            return None if said[name] is None else PortText(said[name])

        return Subscriber(
            is_business=said["is_business"], name=PortText(said["name"]), signer=PortText(said["signer"]),
            signer_email=Email(said["signer_email"]), street=PortText(said["street"]), city=PortText(said["city"]),
            region=PortText(said["region"]), postal_code=PortText(said["postal_code"]),
            account_number=maybe("account_number"), pin=maybe("pin"),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PortRequested(Event):
    """Somebody wants to bring a number along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortReady(Event):
    """All is there that the carrier needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortChanged(Event):
    """A request has moved on, or is to be cancelled."""


@dataclass(slots=True, kw_only=True)
class PortRequest(Aggregate):
    """A number that is to come from another carrier, and the line that it will be."""

    stored_as: ClassVar[str] = "port_requests"
    clause: ClassVar[str] = "C26"

    account_id: AccountId
    id: PortRequestId
    line_id: Annotated[LineId, held(bound=True)]
    number: PhoneNumber
    state: Annotated[PortState, held(bound=True)] = PortState.DRAFT
    bill: Annotated[CarrierRef | None, held("C25", exported=False, bound=True)] = None
    """The bill, as the carrier that has it calls it."""
    ref: Annotated[CarrierRef | None, held(bound=True)] = None
    details: Annotated[PortDetails | None, held("C25")] = None
    rejection: PortRejection | None = None
    port_at: datetime | None = None
    cancel_asked_at: Annotated[datetime | None, held(bound=True)] = None
    created_at: Annotated[datetime, held(bound=True)]
    ended_at: datetime | None = None

    def begun(self) -> None:
        """Note that it is new."""
        self.record(PortRequested(account_id=self.account_id, subject=self.id, at=self.created_at))

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state in OVER

    def must_be_a_draft(self) -> None:
        """Raise PortNotADraft unless it waits for its bill."""
        if self.state is not PortState.DRAFT:
            raise PortNotADraft

    def prove(self, bill: CarrierRef, at: datetime) -> None:
        """Take the bill: nothing is missing any more. Raises PortNotADraft."""
        self.must_be_a_draft()
        self.state, self.bill = PortState.REQUESTED, bill
        self.record(PortReady(account_id=self.account_id, subject=self.id, at=at))

    def submit(self, ref: CarrierRef, at: datetime) -> None:
        """Note that the carrier has it: what it was told is forgotten. Repeating is harmless."""
        if self.state is PortState.REQUESTED:
            self.ref, self.details = ref, None
            self.advance(PortState.SUBMITTED, at)

    def advance(
        self,
        to: PortState,
        at: datetime,
        *,
        port_at: datetime | None = None,
        rejection: PortRejection | None = None,
    ) -> None:
        """Move on, as the carrier says; an earlier state counts no more. Repeating is harmless."""
        day = port_at or self.port_at
        if self.is_over or _RANK[to] < _RANK[self.state] or (to, day) == (self.state, self.port_at):
            return
        self.state, self.port_at = to, day
        if to in OVER:
            self.details, self.ended_at = None, at
            self.rejection = (rejection or PortRejection.OTHER) if to is PortState.REJECTED else None
        self.record(PortChanged(account_id=self.account_id, subject=self.id, at=at))

    def ask_to_cancel(self, at: datetime) -> None:
        """Have it cancelled: at once where the carrier knows nothing of it. Repeatable; raises PortOver.

        Raises PortOver unless it was cancelled before.
        """
        if self.state is PortState.CANCELLED:
            return
        if self.is_over:
            raise PortOver
        if self.state is PortState.DRAFT:
            self.advance(PortState.CANCELLED, at)
        elif self.cancel_asked_at is None:
            self.cancel_asked_at = at
            self.record(PortChanged(account_id=self.account_id, subject=self.id, at=at))

    def lapse(self, at: datetime) -> None:
        """Forget what the former carrier is to be told, and with it a draft. Repeating is harmless."""
        if self.state is PortState.DRAFT:
            self.advance(PortState.CANCELLED, at)
        self.details = None

    def look_again_after(self, now: datetime) -> timedelta:
        """Return when the carrier is to be asked again."""
        return max(SOONEST, min((now - self.created_at) / 8, LATEST))
