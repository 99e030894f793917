"""Calls as Telnyx lists what happened to them (Telnyx: call events; call information)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from adapters.outbound.telnyx.answers import Resource, instant_of, ref_of, resource_of, words_of
from adapters.outbound.telnyx.http import Query, TelnyxHttp
from adapters.outbound.telnyx.vocabulary import Gone
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.voice_carrier import CarrierCall
from domain.calls import CallOutcome

CONTROL = re.compile(r"[A-Za-z0-9_:.=-]{1,128}\Z")
"""By what a leg is controlled."""
OUTCOMES: Mapping[str, CallOutcome] = MappingProxyType(
    {
        "normal_clearing": CallOutcome.ANSWERED,
        "time_limit": CallOutcome.ANSWERED,
        "user_busy": CallOutcome.BUSY,
        "call_rejected": CallOutcome.BUSY,
        "no_answer": CallOutcome.NO_ANSWER,
        "timeout": CallOutcome.NO_ANSWER,
        "originator_cancel": CallOutcome.CANCELED,
        "not_found": CallOutcome.FAILED,
        "unspecified": CallOutcome.FAILED,
    }
)
"""Of a leg that has ended, by its cause. `normal_clearing` is also said of one that nobody had answered."""


def came_to(cause: object, *, answered: bool = True) -> CallOutcome:
    """Translate why a leg ended. A cause that Telnyx has added since is a failure."""
    outcome = OUTCOMES.get(cause if isinstance(cause, str) else "", CallOutcome.FAILED)
    return CallOutcome.NO_ANSWER if outcome.talked and not answered else outcome


@dataclass(slots=True)
class Leg:
    """One leg, put together from its events."""

    id: str
    session: str
    began: datetime
    control: str = ""
    sender: str = ""
    to: str = ""
    incoming: bool = False
    answered: datetime | None = None
    ended: datetime | None = None
    cause: object = None

    def note(self, name: str, at: datetime, payload: Resource) -> None:
        """Take in an event. Any order comes to the same."""
        self.began = min(self.began, at)
        for field, key in (("control", "call_control_id"), ("sender", "from"), ("to", "to")):
            said = payload.get(key)
            if isinstance(said, str) and said:
                setattr(self, field, said)
        self.incoming |= payload.get("direction") == "incoming"
        if name == "call.answered":
            self.answered = at
        if name == "call.hangup":
            self.ended, self.cause = at, payload.get("hangup_cause")

    @property
    def call(self) -> CarrierCall:
        """In the port's words."""
        answered, ended = self.answered, self.ended
        if ended is None:
            outcome = CallOutcome.RINGING if answered is None else CallOutcome.IN_PROGRESS
        else:
            outcome = came_to(self.cause, answered=answered is not None)
        talked = ended is not None and answered is not None
        seconds = int((ended - answered).total_seconds()) if talked and ended and answered else 0
        return CarrierCall(ref_of(self.id), outcome, ended is not None, max(seconds, 0), self.began)


@dataclass(frozen=True, slots=True)
class Legs:
    """Reads what Telnyx lists. Raises CarrierUnavailable, CarrierRefused."""

    http: TelnyxHttp

    async def of(self, *filters: tuple[str, str]) -> list[Leg]:
        """Return the legs that events of this kind are about, the oldest first. Repeating is harmless."""
        asked: Query = (("filter[type]", "webhook"), *filters)
        return assembled([event async for event in self.http.items("/call_events", asked)])

    async def one(self, leg_id: str) -> Leg | None:
        """Return a leg; None where nothing is listed of it."""
        return next((leg for leg in await self.of(("filter[leg_id]", leg_id)) if leg.id == leg_id), None)

    async def is_shown(self, leg: Leg) -> bool:
        """Tell whether Telnyx still answers for a call: it does while it lasts, and ten minutes more."""
        if not CONTROL.match(leg.control):
            return False
        try:
            status = await self.http.get(f"/calls/{leg.control}")
        except Gone:
            return False
        if status.get("call_leg_id") != leg.id:
            raise CarrierUnavailable
        return True


def assembled(events: Iterable[Resource]) -> list[Leg]:
    """Put legs together from events in any order."""
    legs: dict[str, Leg] = {}
    for event in events:
        leg_id, at = words_of(event.get("call_leg_id")), instant_of(event.get("event_timestamp"))
        payload = resource_of(event.get("metadata"))
        leg = legs.setdefault(leg_id, Leg(leg_id, words_of(event.get("call_session_id")), at))
        leg.note(words_of(event.get("name")), at, payload)
    return sorted(legs.values(), key=lambda leg: leg.began)
