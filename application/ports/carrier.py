"""The carrier: numbers and texts, in Pico's words. Twilio is one adapter behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from domain.kernel import ErrorKind, PicoError

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from domain.kernel import CarrierRef, LineId, MessageId
    from domain.messages import Status
    from domain.values import Capability, Country, MessageBody, Peer, PhoneNumber


class CarrierUnavailable(PicoError):
    """The carrier did not answer, or asked us to come back; whether a write was done is unknown."""

    kind = ErrorKind.UNAVAILABLE
    code = "carrier_unavailable"


class CarrierRefused(PicoError):
    """The carrier refused, and asking again will not help."""

    kind = ErrorKind.CONFLICT
    code = "carrier_refused"
    provider_code: int | None = None

    def __init__(self, provider_code: int | None = None) -> None:
        """Keep the carrier's own numeric error code, the only detail that is never personal."""
        self.provider_code = provider_code
        super().__init__()


class NumberTaken(CarrierRefused):
    """The number is no longer available."""

    code = "number_taken"


class OptedOut(CarrierRefused):
    """The other side asked not to be texted from this line."""

    code = "opted_out"


class BadDestination(CarrierRefused):
    """The destination cannot be reached from this line."""

    code = "bad_destination"


class TooEarly(PicoError):
    """The carrier will delete its copy later; ask again then."""

    kind = ErrorKind.UNAVAILABLE
    code = "too_early"

    def __init__(self, after: timedelta) -> None:
        """Ask again `after`."""
        self.after = after
        super().__init__()


@dataclass(frozen=True, slots=True)
class AvailableNumber:
    """A number on offer. It is not held for us: buying may still answer NumberTaken."""

    number: PhoneNumber
    country: Country
    capabilities: frozenset[Capability]


@dataclass(frozen=True, slots=True)
class Purchase:
    """A number that is ours at the carrier."""

    ref: CarrierRef
    number: PhoneNumber
    capabilities: frozenset[Capability]


@dataclass(frozen=True, slots=True)
class Sent:
    """A text that the carrier has accepted. `status` is its state at that moment; `error` the carrier's code."""

    ref: CarrierRef
    status: Status
    error: int | None = None


class Carrier(Protocol):
    """Every method raises CarrierUnavailable when no certain answer came (after its own bounded retries of reads).

    Writes are never repeated blindly by an adapter: on an unknown outcome it raises, and the use case looks
    (`find_purchase`, `find_sent`) before it asks again.
    """

    name: ClassVar[str]

    async def search(
        self,
        country: Country,
        *,
        area_code: str | None,
        contains: str | None,
        capabilities: frozenset[Capability],
        limit: int,
    ) -> list[AvailableNumber]:
        """Numbers on offer; empty when nothing fits or the country is not served. Repeating is harmless."""
        ...

    async def buy(self, number: PhoneNumber, line_id: LineId) -> Purchase:
        """Buy the number and point its webhooks at us in the same act; the carrier keeps `line_id` beside it.

        Raises NumberTaken, CarrierRefused, CarrierUnavailable (outcome unknown). Not repeatable: look first.
        """
        ...

    async def find_purchase(self, number: PhoneNumber, line_id: LineId) -> Purchase | None:
        """Return the purchase made for exactly this line, if the number is ours for it. Repeating is harmless."""
        ...

    async def release(self, ref: CarrierRef) -> None:
        """Give the number back. Already given back is success. Repeating is harmless."""
        ...

    async def owns(self, ref: CarrierRef) -> bool:
        """Tell whether the number is still ours at the carrier: read back, not remembered. Repeating is harmless."""
        ...

    async def send(self, message_id: MessageId, sender: PhoneNumber, to: Peer, body: MessageBody) -> Sent:
        """Send one text; status changes come to our webhook, tagged with `message_id`.

        Raises OptedOut, BadDestination, CarrierRefused, CarrierUnavailable (outcome unknown). Not repeatable.
        """
        ...

    async def find_sent(
        self,
        sender: PhoneNumber,
        to: Peer,
        body: MessageBody | None,
        since: datetime,
        until: datetime | None = None,
    ) -> list[Sent]:
        """Texts with just this sender, destination and body that the carrier took from `since` until `until`.

        Oldest first. No body: whatever they say. Clocks differ, so texts of up to a minute earlier may be among them.
        Used after an unknown outcome. Repeating is harmless.
        """
        ...

    async def look_up(self, ref: CarrierRef) -> Sent | None:
        """Return the text's present state, or None when the carrier holds no such text. Repeating is harmless."""
        ...

    async def purge(self, ref: CarrierRef) -> timedelta | None:
        """Delete the carrier's copy of a text, media included. None: gone (or it was gone already).

        A duration: too early, ask again after it. Repeating is harmless.
        """
        ...

    async def list_message_refs(self, number: PhoneNumber) -> list[CarrierRef]:
        """Texts from or to our number that the carrier still holds. Repeating is harmless."""
        ...
