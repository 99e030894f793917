"""What is remembered of a call by a carrier that is told one command after the other: it comes back with each event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.call_words import Spoken
from domain.kernel import CallId, LineId


class CallStage(StrEnum):
    """What a leg of the call was last told to do."""

    ANSWERING = "answering"
    """The caller's leg was answered, to be greeted."""
    GREETING = "greeting"
    """The caller hears the greeting; what they leave is recorded after it."""
    RECORDING = "recording"
    WAITING = "waiting"
    """The caller hears that it rings: `other` is being called."""
    ASKING = "asking"
    """The other telephone's leg: who answers it is asked for a key."""
    JOINING = "joining"
    """The key was pressed, and the caller's leg answered, to be joined with `other`."""
    TALKING = "talking"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallState:
    """Ids, counts and a language. `leg` and `control` are the caller's leg, `other` the other telephone's, by control.

    `longest` and `silence` are seconds of a message that is to be recorded, `transcribed` whether it is put into
    writing, and `since` is when the two were put through, in seconds since 1970.
    """

    stage: CallStage
    leg: str
    control: str
    line_id: LineId | None = None
    call_id: CallId | None = None
    language: Spoken = Spoken.ENGLISH
    other: str = ""
    longest: int = 0
    silence: int = 0
    transcribed: bool = False
    since: int = 0

    def is_of(self, leg: str) -> bool:
        """Tell whether it was left with this leg: the caller's bears its own, another telephone's never."""
        return (self.leg == leg) is not (self.stage is CallStage.ASKING)
