"""Requests about data that arrive by letter: what is asked for, by when it is to be answered, how that ended.

What the letter says, and who wrote it, is nowhere here: a request is a kind, an instant and an id.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from domain.kernel import ErrorKind, Event, PicoError

DataRequestId = NewType("DataRequestId", UUID)
MOST = timedelta(days=30)
"""What clause Q2 promises."""
ALARM_AFTER = timedelta(days=20)
"""From this day on somebody is told, every hour, that a request waits."""
URGENT, LATE = "data_request_urgent", "data_request_late"
"""What a sweep reports of requests that wait, and of those whose last day went by."""


class DataRequestKind(StrEnum):
    """What is asked for, by the articles of the GDPR."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    OBJECTION = "objection"


class DataRequestOutcome(StrEnum):
    """How a request ended."""

    FULFILLED = "fulfilled"
    WITHDRAWN = "withdrawn"
    """Whoever wrote wants it no more."""
    REFUSED = "refused"
    """The law lets us say no, and we have said why."""
    UNIDENTIFIED = "unidentified"
    """Whoever wrote did not show that the account is theirs."""


class DataRequestOpen(PicoError):
    """The same is asked for already, and not answered yet."""

    kind = ErrorKind.CONFLICT
    code = "data_request_open"


class DataRequestClosed(PicoError):
    """It was closed before."""

    kind = ErrorKind.CONFLICT
    code = "data_request_closed"


class NotReceivedYet(PicoError):
    """A request cannot come from the future."""

    code = "not_received_yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequestNoted(Event):
    """A request about the account came by letter. `subject` is the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequestAnswered(Event):
    """A request about the account was closed. `subject` is the request."""


def due_on(received: date) -> date:
    """Return the last day for an answer: 30 days later, or the same day of the next month where that is sooner.

    Where the next month has no such day its last one counts: what comes on 31 January is due on 28 February.
    """
    year, month = divmod(received.year * 12 + received.month, 12)
    last = monthrange(year, month + 1)[1]
    return min(received + MOST, date(year, month + 1, min(received.day, last)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest:
    """One request. Days are those of UTC."""

    id: DataRequestId
    kind: DataRequestKind
    received_at: datetime
    closed_at: datetime | None = None
    outcome: DataRequestOutcome | None = None

    @property
    def due_on(self) -> date:
        """The last day for an answer."""
        return due_on(self.received_at.astimezone(UTC).date())

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.closed_at is None

    def is_urgent(self, now: datetime) -> bool:
        """Tell whether it waits since 20 days or more, of which the day it came is not one."""
        received = self.received_at.astimezone(UTC).date()
        return self.is_open and now.astimezone(UTC).date() >= received + ALARM_AFTER

    def is_late(self, now: datetime) -> bool:
        """Tell whether its last day went by without an answer."""
        return self.is_open and now.astimezone(UTC).date() > self.due_on

    def closed(self, outcome: DataRequestOutcome, at: datetime) -> DataRequest:
        """Return it as it ended. Raises DataRequestClosed."""
        if not self.is_open:
            raise DataRequestClosed
        return replace(self, outcome=outcome, closed_at=at)
