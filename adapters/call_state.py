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
    RINGING = "ringing"
    """An app's leg of a call that comes in."""
    PICKING_UP = "picking_up"
    """An app's leg of a call that goes out: once it is answered, the other side is called."""
    CALLING = "calling"
    """The same leg, answered: `other` is being called."""
    CALLED = "called"
    """The other side's leg of a call that goes out."""
    CONNECTED = "connected"
    """The app's leg of a call that goes out, put through to `other`."""
    PROMPTING = "prompting"
    """The app's leg of a call to the line's own number: its person hears that they are to speak."""
    SPEAKING = "speaking"
    """The same leg: what they say is recorded, as their greeting. Nobody else is ever called."""
    TELLING = "telling"
    """Whoever is on the leg hears why there is no call, and then it ends."""


FOR_ANOTHER = frozenset({CallStage.ASKING, CallStage.RINGING, CallStage.PICKING_UP, CallStage.CALLED})
"""Stages of a leg that another one brought about, or nobody's yet: what was sealed does not know its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallState:
    """Ids, counts and a language.

    `leg` and `control` are the first leg: the caller's, or of a call that goes out the app's. `other` is the leg that
    it brought about, by control. `longest` and `silence` are seconds of a message that is to be recorded, `transcribed`
    whether it is put into writing, and `since` is when the two were put through, in seconds since 1970.
    """

    stage: CallStage
    leg: str = ""
    control: str = ""
    line_id: LineId | None = None
    call_id: CallId | None = None
    language: Spoken = Spoken.ENGLISH
    other: str = ""
    longest: int = 0
    silence: int = 0
    transcribed: bool = False
    since: int = 0

    def is_of(self, leg: str) -> bool:
        """Tell whether it was left with this leg: the first one bears its own id, another never."""
        return (self.leg == leg) is not (self.stage in FOR_ANOTHER)
