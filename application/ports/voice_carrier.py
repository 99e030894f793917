"""A carrier of calls. What it cannot do it declares: use cases then do without, and receipts say so.

What is to be done with a call is no method: the carrier asks by a webhook, and is answered with instructions
(`domain.call_instructions`), which its own inbound adapter writes down in the carrier's language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, NamedTuple, Protocol

from domain.call_instructions import ClientIdentity
from domain.calls import CallOutcome
from domain.kernel import CallId, CarrierRef, LineId
from domain.values import Peer, PhoneNumber


@dataclass(frozen=True, slots=True)
class VoiceAbilities:
    """What a carrier of calls offers."""

    has_app_clients: bool = False
    """Apps can call and be called, by a token that it takes."""
    can_place_calls: bool = False
    can_delete_records: bool = False
    """It deletes its record of a call when asked."""
    can_list_calls: bool = False
    """It lists the calls of a number."""
    record_settles_after: timedelta = timedelta()
    """A younger record is not deleted: asking for it is of no use."""


class ClientToken(NamedTuple):
    """What an app shows the carrier to call and be called as its line."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CarrierCall:
    """The carrier's record of a call or of one of its legs, cut down to what Pico looks at."""

    ref: CarrierRef
    outcome: CallOutcome
    is_over: bool
    duration: int
    """Seconds from being answered to its end."""
    at: datetime
    """When the carrier took it."""


@dataclass(frozen=True, slots=True)
class ListedCall(CarrierCall):
    """A call as it is listed for a number: which way it goes for us, and with whom.

    `peer` is None where the other side is withheld or an app. `parent` is the call whose leg it is, None for a call.
    """

    is_inbound: bool
    peer: Peer | None
    parent: CarrierRef | None = None


class VoiceCarrier(Protocol):
    """Every method raises CarrierUnavailable when no certain answer came (after its own bounded retries of reads).

    Writes are never repeated by an adapter. What is not among `voice_abilities` raises CarrierUnsupported.
    """

    name: ClassVar[str]
    voice_abilities: VoiceAbilities

    async def client_token(self, client: ClientIdentity, now: datetime, life: timedelta) -> ClientToken:
        """Make a token with which apps are `client` until `life` after `now`, or have the carrier make it.

        It says nothing but the name, and cannot be taken back. Raises CarrierRefused. Needs `has_app_clients`.
        Repeating makes another.
        """
        ...

    async def place_call(
        self, call_id: CallId, line_id: LineId, client: ClientIdentity, caller_id: PhoneNumber
    ) -> CarrierRef:
        """Ring a line's apps, from its own number; what happens when somebody answers is asked at our webhook.

        Raises CarrierRefused; CarrierUnavailable: the outcome is unknown. Needs `can_place_calls`. Not repeatable:
        it rings again.
        """
        ...

    async def end_call(self, ref: CarrierRef) -> None:
        """End a call, whoever is on it; it may have been over already. Repeating is harmless."""
        ...

    async def look_up_call(self, ref: CarrierRef) -> CarrierCall | None:
        """Return the carrier's record of a call, or None when it holds no such one. Repeating is harmless."""
        ...

    async def legs(self, ref: CarrierRef) -> list[CarrierCall]:
        """Return the records of the calls that a call brought about. Repeating is harmless."""
        ...

    async def list_calls(self, number: PhoneNumber, client: ClientIdentity | None = None) -> list[ListedCall]:
        """Return what the carrier still holds of the calls and legs from or to our number, of a day at least.

        With them come those of its line's apps, where `client` is their name.

        Needs `can_list_calls`. Repeating is harmless.
        """
        ...

    async def delete_record(self, ref: CarrierRef) -> None:
        """Delete the carrier's record of a call that is over; it may have been gone already. Its legs stay.

        Raises TooEarly. Needs `can_delete_records`. Repeating is harmless.
        """
        ...
