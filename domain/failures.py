"""Why a message did not get through, in words that are no carrier's own."""

from __future__ import annotations

from enum import StrEnum


class FailureReason(StrEnum):
    """Why a message was not delivered, or is not known to be: a closed set."""

    UNREACHABLE = "unreachable"
    """The other side cannot be reached: no such number, switched off, or a landline."""
    OPTED_OUT = "opted_out"
    """The other side asked not to get messages from this line."""
    REJECTED = "rejected"
    """The carrier or a network on the way refused this message."""
    UNSUPPORTED = "unsupported"
    """The line's number may not send messages there, or none at all."""
    LINE_NOT_ACTIVE = "line_not_active"
    """The line stopped accepting messages before this one was handed over."""
    NOT_ALLOWED = "not_allowed"
    """No messages are sent there any more, by our policy or because the person has blocked the number."""
    LIMITED = "limited"
    """It was scheduled, and when its time came the account had sent as much as it may."""
    CARRIER_OUTAGE = "carrier_outage"
    """The carrier, or a network on the way, could not take it in time."""
    UNCONFIRMED = "unconfirmed"
    """It was handed over, and nobody says what became of it."""
    UNKNOWN = "unknown"
    """The carrier says that it failed, and not why."""
