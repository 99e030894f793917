"""Whom a message or a call can reach, as far as that is known without trying."""

from __future__ import annotations

from enum import StrEnum

from domain.kernel import PicoError


class Destination(StrEnum):
    """What numbering plans know of a destination, as seen from a line's country."""

    NUMBER = "number"
    SHORT_CODE = "short_code"
    EMERGENCY = "emergency"
    """A call to it may be a call for help."""
    NOBODY = "nobody"
    """No plan has such a number."""


class EmergencyNumber(PicoError):
    """You cannot call for help here: neither message nor call reaches an emergency service. Use a phone."""

    code = "emergency_number"


class UnreachableNumber(PicoError):
    """Neither message nor call from this line can reach that number."""

    code = "unreachable_number"


def must_be_reachable(destination: Destination, *, short_codes: bool) -> None:
    """Raise EmergencyNumber or UnreachableNumber; `short_codes` tells whether the carrier sends to those."""
    if destination is Destination.EMERGENCY:
        raise EmergencyNumber
    if destination is Destination.NOBODY or (destination is Destination.SHORT_CODE and not short_codes):
        raise UnreachableNumber
