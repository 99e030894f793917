"""Telnyx's events about legs of calls, cut down to what is looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from adapters.call_state import CallState
from adapters.inbound.webhooks.answers import Malformed
from adapters.inbound.webhooks.telnyx.events import Event, instant
from domain.values import Peer

CALLER = re.compile(r"\+?[0-9]{3,15}\Z")
LEG = re.compile(r"[A-Za-z0-9_-]{1,48}\Z")
CONTROL = re.compile(r"[A-Za-z0-9_:.=-]{1,128}\Z")
ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class Party(NamedTuple):
    """Who calls whom on a leg, and whether it comes in."""

    sender: str
    to: str
    incoming: bool


@dataclass(frozen=True, slots=True)
class CallEvent:
    """An event about a leg. What it leaves out is empty; `second` is when it happened, since 1970."""

    id: str
    leg: str
    control: str
    sender: str
    to: str
    incoming: bool
    outgoing: bool
    cause: object
    second: int
    client_state: object
    says_between: bool
    """Whether it says who calls whom, be it that the caller is withheld."""
    state: CallState | None = None

    @classmethod
    def read(cls, event: Event) -> CallEvent:
        """Read it. Raises Malformed."""
        said = event.payload
        leg, control = said.get("call_leg_id"), said.get("call_control_id")
        if not isinstance(leg, str) or not LEG.match(leg) or not ID.match(event.id):
            raise Malformed
        if control is not None and not (isinstance(control, str) and CONTROL.match(control)):
            raise Malformed
        at = instant(event.occurred_at)
        return cls(
            id=event.id,
            leg=leg,
            control=control or "",
            sender=_text(said.get("from")),
            to=_text(said.get("to")),
            incoming=said.get("direction") == "incoming",
            outgoing=said.get("direction") == "outgoing",
            cause=said.get("hangup_cause"),
            second=0 if at is None else int(at.timestamp()),
            client_state=said.get("client_state"),
            says_between=isinstance(said.get("from"), str) and bool(said.get("to")),
        )

    def must_be_controlled(self) -> str:
        """Return by what the leg is controlled. Raises Malformed."""
        if not self.control:
            raise Malformed
        return self.control


def caller_of(text: str) -> Peer | None:
    """Return who calls, by number; None for whoever withholds it, or is called otherwise."""
    return Peer.of_sender(text) if CALLER.match(text) else None


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed
    return value.encode("utf-8", "replace").decode()
