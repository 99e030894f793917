"""Single words by which somebody asks for no more messages, or for messages again (Twilio: opt-out keywords)."""

from __future__ import annotations

from enum import StrEnum


class OptOut(StrEnum):
    """What the other side asked of us with a keyword (Twilio: opt-out keywords)."""

    STOP = "stop"
    START = "start"


STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})


def opt_out_of(body: str) -> OptOut | None:
    """Read the single-word keywords that carriers act on."""
    word = body.strip().upper()
    if word in STOP_WORDS:
        return OptOut.STOP
    return OptOut.START if word in START_WORDS else None
