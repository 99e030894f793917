"""Forms that are signed alike: the characters that Twilio signed, cut into names and values elsewhere.

Twilio signs the names in their order, each with its value behind it, without a mark between them. Whoever has one
signed form, and wrote its body, has many. `recut` looks for them as somebody would who knows every other check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

Pairs = tuple[tuple[str, str], ...]

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
IDS = re.compile(r"MessageSid|SmsSid|CallSid")
KNOWN = re.compile(
    r"AccountSid|ApiVersion|Body|CallSid|CallStatus|Digits|Direction|From|MessageSid|MessageStatus|NumMedia"
    r"|NumSegments|Sms(?:MessageSid|Sid|Status)|To"
)
OF_A_MESSAGE, OF_A_CALL = ("From", "MessageSid", "To"), ("CallSid", "From", "To")
AFTER_A_NUMBER = re.compile(r"(?<=[0-9])(?=[A-Za-z])")
SID_LENGTH = 34


def said(pairs: Pairs) -> str:
    """Return what is signed of a form."""
    return "".join(name + value for name, value in sorted(set(pairs)))


def bait(rnd: Random, sid: str, to: str) -> str:
    """Return a body that spells fields of another message, in an order in which they could be cut out."""
    pieces = [
        "hi", f"From+1555000{rnd.randrange(10**4):04}", f"MessageSid{sid}", f"NumMedia{rnd.randrange(10)}",
        f"SmsMessageSid{sid}", f"SmsSid{sid}", f"To{to}", rnd.choice(["Z", "ToZip", "Zzz", "a", "MessageSiz"]),
    ]  # fmt: skip
    return "".join(piece for piece in pieces if rnd.random() < 0.8)


def call_bait(rnd: Random, sid: str, to: str, sender: str) -> str:
    """Return words that spell fields of another call, in an order in which they could be cut out."""
    pieces = [
        "hi", f"CallSid{sid}", rnd.choice(["CallStatuscompleted", "Digits1", "DialCallStatuscompleted"]),
        "Directioninbound", f"From{sender}", f"To{to}", rnd.choice(["Z", "ToZip", "Zzz", "a", "CallSiz"]),
    ]  # fmt: skip
    return "".join(piece for piece in pieces if rnd.random() < 0.85)


def recut(signed: str, rnd: Random, steps: int = 80, names: tuple[str, ...] = OF_A_MESSAGE) -> Pairs | None:
    """Cut signed characters anew, so that the names keep their order and a sender, an id and a number are named.

    Return None when the places drawn for those cannot be had, or not in that many steps.
    """
    wanted: list[int] = []
    for name in names:
        places = [found.start() for found in re.finditer(name, signed)]
        later = [place for place in places if not wanted or place > wanted[-1]]
        if not later:
            return None
        wanted.append(later[0] if rnd.random() < 0.8 else rnd.choice(later))
    return _Search(signed, rnd, wanted, careful=rnd.random() < 0.9, steps=steps).cut(0, "", ())


@dataclass
class _Search:
    """A search in depth for cuts that leave the names in order."""

    signed: str
    rnd: Random
    wanted: list[int]
    """Where the fields stand that are to be named; no value may swallow one."""
    careful: bool
    """Leaves no id's name within a value: that is refused wherever it stands."""
    steps: int

    def cut(self, at: int, before: str, pairs: Pairs) -> Pairs | None:
        self.steps -= 1
        for name in self._names(at, before):
            value_at = at + len(name)
            for end in self._ends(value_at, name):
                value = self.signed[value_at:end]
                if self.careful and name != "Body" and IDS.search(value):
                    continue
                if end == len(self.signed):
                    return (*pairs, (name, value))
                if self.steps <= 0:
                    return None
                if found := self.cut(end, name, (*pairs, (name, value))):
                    return found
        return None

    def _names(self, at: int, before: str) -> Iterator[str]:
        """Yield names that may stand here: the one that is known, then the shortest that keep the order."""
        known = KNOWN.match(self.signed, at)
        if known and known[0] > before:
            yield known[0]
        free = NAME.match(self.signed, at)
        if at not in self.wanted and free:
            lengths = [length for length in range(1, len(free[0]) + 1) if free[0][:length] > before]
            yield from (free[0][:length] for length in lengths[: self.rnd.randint(1, 2)])

    def _ends(self, value_at: int, name: str) -> Iterator[int]:
        """Yield where the value may end, the promising places first; a field that is wanted ends where it should."""
        signed, rnd = self.signed, self.rnd
        limit = next((place for place in self.wanted if place >= value_at), len(signed))
        if name in {"MessageSid", "CallSid"}:
            yield min(value_at + SID_LENGTH, limit)
            return
        number = AFTER_A_NUMBER.search(signed, value_at, limit)
        if name in {"From", "To"} and number:
            yield number.start()
        if not IDS.search(signed, value_at, limit):
            yield limit
        named = IDS.search(signed, value_at, limit)
        within = range(named.start() + 1, named.end()) if named else range(0)
        known = [found.start() for found in KNOWN.finditer(signed, value_at, limit)]
        places = [*rnd.sample(within, min(4, len(within))), *rnd.sample(known, min(2, len(known)))]
        yield from rnd.sample(places, len(places))
        if value_at < limit:
            yield rnd.randrange(value_at, limit)
