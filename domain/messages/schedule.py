"""When a message may be told to go out."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.kernel import ErrorKind, PicoError

EARLIEST = timedelta(minutes=15)
"""Time enough to think better of it; what is to go sooner is sent."""
LATEST = timedelta(days=90)
"""A season: for longer nobody can tell whether the line, or the number written to, will still be whose it is."""


class NotInTime(PicoError):
    """A message is scheduled for a time that is 15 minutes to 90 days ahead."""

    code = "send_at_out_of_range"


class NotScheduled(PicoError):
    """This message does not wait for its time: it is on its way, or at its end."""

    kind = ErrorKind.CONFLICT
    code = "not_scheduled"


def must_be_in_time(send_at: datetime, now: datetime) -> None:
    """Raise NotInTime unless a message may be scheduled for `send_at`."""
    if not EARLIEST <= send_at - now <= LATEST:
        raise NotInTime
