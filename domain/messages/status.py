"""Which way a message went, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from domain.failures import FailureReason
from domain.kernel import CarrierRef


class Direction(StrEnum):
    """Which way a message went."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Status(StrEnum):
    """Where a message stands. Rank never falls; among equals the first terminal one wins (Twilio: message statuses)."""

    SCHEDULED = "scheduled"
    """Its time has not come."""
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNCONFIRMED = "unconfirmed"
    """The carrier tries no longer, and has not said what became of it. A late word from it still counts."""
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELED = "canceled"
    """The person took it back before its time."""
    RECEIVED = "received"

    @property
    def rank(self) -> int:
        """Order of life: a status only ever gives way to one of higher rank."""
        return RANK[self]

    @property
    def terminal(self) -> bool:
        """Nothing follows."""
        return self.rank == RANK[Status.DELIVERED]


OURS = frozenset({Status.SCHEDULED, Status.CANCELED})
"""No carrier says these: we keep a message until its time."""
RANK = {
    Status.SCHEDULED: 0,
    Status.QUEUED: 1,
    Status.SENDING: 2,
    Status.SENT: 3,
    Status.UNCONFIRMED: 4,
    Status.DELIVERED: 5,
    Status.FAILED: 5,
    Status.CANCELED: 5,
    Status.RECEIVED: 5,
}


class Receipt(NamedTuple):
    """What was first said of a message at an instant: by its carrier, or `unconfirmed`, which is our own word."""

    status: Status
    at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as the carrier knows it: its reference, where it stands, and why if it failed."""

    ref: CarrierRef
    status: Status
    failure: FailureReason | None = None
