"""What a carrier is told to do with a call, step by step, in words that are no carrier's own.

Two instructions have anything recorded, and each what one person says to nobody: `TakeMessage` what a caller leaves,
`RecordGreeting` what a line's own person has callers hear. There is none that records what people say to each other, so
no carrier can be told to (clause N3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from domain.call_words import Notice, Spoken
from domain.kernel import CallId, LineId
from domain.values import PersonalText, PhoneNumber

RING_FOR = timedelta(seconds=20)
"""How long an app or a telephone rings: shorter than a mobile network waits until its own mailbox takes the call."""
KEY = "1"
"""What the person who answers a forwarded call presses to take it."""
ASK_FOR = timedelta(seconds=8)
"""How long the person who answers may take to press it."""


class ClientIdentity(str):
    """By which name a line's apps are known to the carrier: letters, digits and "_", and nothing personal."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class RingApp:
    """Ring a line's apps; the caller hears that it rings until somebody answers."""

    client: ClientIdentity
    seconds: int = int(RING_FOR.total_seconds())


@dataclass(frozen=True, slots=True)
class Forward:
    """Ring another telephone, and let the two talk only once its person has pressed a key (`AskForKey`).

    `caller_id` is the line's own number: a mailbox that takes the call must not take the caller for its owner.
    """

    to: PhoneNumber
    caller_id: PhoneNumber
    longest: timedelta
    seconds: int = int(RING_FOR.total_seconds())


@dataclass(frozen=True, slots=True)
class Connect:
    """Call a number from the line's own for whoever is on the call already."""

    to: PhoneNumber
    caller_id: PhoneNumber
    longest: timedelta


@dataclass(frozen=True, slots=True)
class AskForKey:
    """Ask the person who answered to press a key; without it the two are never put through."""

    key: str = KEY
    seconds: int = int(ASK_FOR.total_seconds())


@dataclass(frozen=True, slots=True)
class PutThrough:
    """Let the two talk: the key was pressed."""


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """Greet the caller, and record what they leave: of callers, nothing else is ever recorded.

    The greeting is a recording at `audio`, an address that says nothing of itself, or `words`, or the usual notice.
    """

    longest: timedelta = timedelta(seconds=119)
    silence: timedelta = timedelta(seconds=5)
    """The message ends when nothing is said for so long."""
    words: PersonalText | None = None
    audio: str | None = None
    transcribed: bool = False
    """Whether the carrier is to write down what was said."""


@dataclass(frozen=True, slots=True)
class RecordGreeting:
    """Have the person who called their own line, or was rung to, say what its callers are to hear, and record that.

    It is all that ever becomes of such a call: nobody else is called, and nobody is put through to it.
    """

    longest: timedelta = timedelta(seconds=60)
    silence: timedelta = timedelta(seconds=5)
    """It ends when nothing is said for so long, or with the key."""


@dataclass(frozen=True, slots=True)
class Say:
    """Tell whoever is on the call something."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class Reject:
    """Do not take the call: the caller hears that the line is busy, and pays nothing."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


Instruction: TypeAlias = (
    RingApp
    | Forward
    | Connect
    | AskForKey
    | PutThrough
    | TakeMessage
    | RecordGreeting
    | Say
    | Reject
    | HangUp
)


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """What the carrier is told about one call, in order; and what its next question is to be about.

    `call_id` comes back with whatever the carrier asks or reports next, where its webhooks can carry it.
    """

    instructions: tuple[Instruction, ...]
    line_id: LineId | None = None
    call_id: CallId | None = None
    language: Spoken = Spoken.ENGLISH
    """In which the notices among them are read."""

    @property
    def records(self) -> bool:
        """Whether anything is recorded."""
        return any(isinstance(instruction, TakeMessage | RecordGreeting) for instruction in self.instructions)


REFUSAL = CallAnswer((Reject(),))
"""What everybody hears who calls a number that takes no calls, for whatever reason."""
OVER = CallAnswer((HangUp(),))
