"""Calls: which way, with whom, from when, how long, and how they ended. Nothing else is kept of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from domain.classification import IndexScope, held
from domain.kernel import AccountId, Aggregate, CallId, CarrierRef, Event, LineId
from domain.values import Peer, PhoneNumber


class CallDirection(StrEnum):
    """Which way a call went."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class CallOutcome(StrEnum):
    """What became of a call so far. One outcome gives way only to one of higher rank, so any order ends the same."""

    RINGING = "ringing"
    MISSED = "missed"
    """It ended, and nobody says more of it."""
    FAILED = "failed"
    """It did not get through."""
    CANCELED = "canceled"
    """Whoever called hung up before anybody answered."""
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    IN_PROGRESS = "in_progress"
    ANSWERED = "answered"
    """The two have talked."""

    @property
    def rank(self) -> int:
        """How much it says: an app that did not answer says less than the telephone that then did."""
        return RANK[self]

    @property
    def talked(self) -> bool:
        """Whether somebody answered and was put through."""
        return self.rank >= RANK[CallOutcome.IN_PROGRESS]


RANK = {outcome: rank for rank, outcome in enumerate(CallOutcome)}
WHEN_OVER = {CallOutcome.RINGING: CallOutcome.MISSED, CallOutcome.IN_PROGRESS: CallOutcome.ANSWERED}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallBegan(Event):
    """A call is on record, and may be going on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """A call is over: the carrier's record of it may go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDeleted(Event):
    """The person deleted a call of which the carrier may still have a record."""


@dataclass(slots=True, kw_only=True)
class Call(Aggregate):
    """One call between a line and somebody; whatever else the carrier tells about it is not kept."""

    stored_as: ClassVar[str] = "calls"
    clause: ClassVar[str] = "C9"

    account_id: AccountId
    id: CallId
    line_id: Annotated[LineId, held(bound=True)]
    direction: Annotated[CallDirection, held(bound=True)]
    outcome: Annotated[CallOutcome, held(bound=True)] = CallOutcome.RINGING
    peer: Annotated[Peer | None, held(index=IndexScope.ACCOUNT)]
    """The other side; None where it withholds its number."""
    started_at: datetime
    duration: int = 0
    """Seconds for which the two talked."""
    ended_at: datetime | None = None
    ref: Annotated[CarrierRef | None, held(exported=False, bound=True)] = None
    reserved: Annotated[int, held(exported=False)] = 0
    """What was taken for it of the account's limit, in thousandths of a US dollar, until it is known what it cost."""
    record_deleted_at: Annotated[datetime | None, held(exported=False, bound=True)] = None
    deleted_at: Annotated[datetime | None, held(exported=False, final=True)] = None

    @classmethod
    def begin(
        cls,
        account_id: AccountId,
        call_id: CallId,
        line_id: LineId,
        *,
        direction: CallDirection,
        peer: Peer | None,
        ref: CarrierRef | None,
        at: datetime,
    ) -> Self:
        """Put a call on record."""
        call = cls(
            account_id=account_id, id=call_id, line_id=line_id, direction=direction, peer=peer, started_at=at, ref=ref
        )  # fmt: skip
        call.record(CallBegan(account_id=account_id, subject=call_id, at=at))
        return call

    @classmethod
    def deleted_on_arrival(
        cls, account_id: AccountId, call_id: CallId, line_id: LineId, ref: CarrierRef, at: datetime
    ) -> Self:
        """Return what a call of which nothing is to be kept leaves until the carrier's record is gone."""
        call = cls(
            account_id=account_id, id=call_id, line_id=line_id, direction=CallDirection.INBOUND, peer=None,
            started_at=at, ended_at=at, ref=ref,
        )  # fmt: skip
        call.delete(at)
        return call

    @property
    def is_deleted(self) -> bool:
        """Whether the person deleted it; the row waits for the carrier's record to go."""
        return self.deleted_at is not None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is going on."""
        return self.ended_at is not None

    def is_to_itself(self, number: PhoneNumber) -> bool:
        """Tell whether the person called their own line, which has this number: to say its greeting."""
        return self.direction is CallDirection.OUTBOUND and self.peer == Peer(number) and not self.altered

    @property
    def has_carrier_record(self) -> bool:
        """Whether a record may still lie with the carrier."""
        return self.record_deleted_at is None and self.ref is not None

    @property
    def talked_for(self) -> int:
        """Seconds for which the two talked: what a mailbox on the way took is no talk."""
        return self.duration if self.outcome.talked else 0

    def reach(self, outcome: CallOutcome, duration: int = 0) -> None:
        """Note what became of it, by one of the carrier's reports. Any order and any repetition ends the same."""
        if outcome.rank > self.outcome.rank:
            self.outcome = outcome
        self.duration = max(self.duration, duration)
        self._settle()

    def end(self, at: datetime) -> None:
        """Note that it is over. Repeating is harmless: the last instant stands."""
        if self.ended_at is None:
            self.record(CallEnded(account_id=self.account_id, subject=self.id, at=at))
        self.ended_at = max(self.ended_at or at, at)
        self._settle()

    def _settle(self) -> None:
        """Of a call that is over, say what going on or ringing came to."""
        if self.is_over:
            self.outcome = WHEN_OVER.get(self.outcome, self.outcome)

    def adopt(self, ref: CarrierRef) -> None:
        """Note the carrier's reference of a call that we asked for. Repeating is harmless."""
        self.ref = self.ref or ref

    def reserve(self, cost: int) -> None:
        """Note what was taken for it."""
        self.reserved += cost

    def settle_cost(self) -> int:
        """Return what had been taken for it, once."""
        reserved, self.reserved = self.reserved, 0
        return reserved

    def carrier_record_deleted(self, at: datetime) -> None:
        """Note that the carrier's record is gone. Repeating is harmless: the first instant stands.

        What counted for nothing while reports might still come counts for nothing now.
        """
        self.record_deleted_at = self.record_deleted_at or at
        self.duration = self.talked_for

    def delete(self, at: datetime) -> None:
        """Forget whom it was with; the row stays, unseen, until the carrier's record is gone. Repeating is harmless."""
        if self.deleted_at is None:
            self.peer, self.duration, self.deleted_at = None, 0, at
            self.record(CallDeleted(account_id=self.account_id, subject=self.id, at=at))
