"""A carrier that takes numbers over from others. That takes days, and is done by people: states come as they come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from application.ports.carrier_errors import CarrierRefused, CarrierUnsupported
from application.ports.numbers import NumberOrder
from domain.kernel import CarrierRef, LineId
from domain.porting import PortDetails, PortRejection, PortState
from domain.values import PhoneNumber


@dataclass(frozen=True, slots=True)
class PortingAbilities:
    """What a carrier offers; without `can_port_in` nothing else is asked of it."""

    can_port_in: bool = False


@dataclass(frozen=True, slots=True)
class Portability:
    """Whether a number can be taken over, and whether its account number and PIN at the other carrier are needed."""

    portable: bool
    needs_account: bool = False


@dataclass(frozen=True, slots=True)
class PortProgress:
    """What a carrier says of a port: its day once that is fixed, and why it was rejected."""

    state: PortState
    port_at: datetime | None = None
    rejection: PortRejection | None = None


class PortRefused(CarrierRefused):
    """The carrier does not take the request."""

    code = "port_refused"

    def __init__(self, rejection: PortRejection, provider_code: int | None = None) -> None:
        """Keep why, and the carrier's own code for operators."""
        self.rejection = rejection
        super().__init__(provider_code)


class Porting(Protocol):
    """Every method raises CarrierUnavailable when no certain answer came, and CarrierUnsupported where undeclared."""

    name: ClassVar[str]
    porting_abilities: PortingAbilities

    async def portability(self, number: PhoneNumber) -> Portability:
        """Return whether the number can be taken over: not one that the carrier has. Repeating is harmless."""
        raise CarrierUnsupported

    async def keep_bill(self, bill: bytes) -> CarrierRef:
        """Hand on a bill, a PDF file, and return what the carrier calls it. Repeating makes another one of it."""
        raise CarrierUnsupported

    async def submit(self, number: PhoneNumber, details: PortDetails, bill: CarrierRef) -> CarrierRef:
        """Ask for the number, and return the carrier's reference of the port. Raises PortRefused.

        Raises CarrierUnavailable: the outcome is unknown. Not repeatable: look first (`find`).
        """
        raise CarrierUnsupported

    async def find(self, number: PhoneNumber, since: datetime) -> CarrierRef | None:
        """Return the latest port of this number that was begun since then. Repeating is harmless."""
        raise CarrierUnsupported

    async def progress(self, ref: CarrierRef, number: PhoneNumber) -> PortProgress | None:
        """Return where a port stands; None for one that there is not. Repeating is harmless."""
        raise CarrierUnsupported

    async def cancel(self, ref: CarrierRef) -> None:
        """Ask that a port be cancelled; `progress` says what became of that. Repeating is harmless."""
        raise CarrierUnsupported

    async def take_over(self, number: PhoneNumber, line_id: LineId) -> NumberOrder | None:
        """Have a number that was ported reach us, for this line; None where it is not held. Repeating is harmless."""
        raise CarrierUnsupported
