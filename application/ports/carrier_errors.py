"""What a provider of telephony may answer instead of doing what it was asked, in words that are no provider's own."""

from __future__ import annotations

from typing import ClassVar

from domain.failures import FailureReason
from domain.kernel import ErrorKind, PicoError


class CarrierUnavailable(PicoError):
    """The carrier did not answer, or asked us to come back; whether a write was done is unknown."""

    kind = ErrorKind.UNAVAILABLE
    code = "carrier_unavailable"


class CarrierRefused(PicoError):
    """The carrier refused, and asking again will not help."""

    kind = ErrorKind.CONFLICT
    code = "carrier_refused"
    failure: ClassVar[FailureReason] = FailureReason.REJECTED
    """What becomes of a message that was refused so."""

    def __init__(self, provider_code: int | None = None) -> None:
        """Keep the carrier's own numeric error code, the only detail that is never personal: it is for operators."""
        self.provider_code = provider_code
        super().__init__()


class CarrierUnsupported(PicoError):
    """The carrier offers no such thing: its adapter declares so, and use cases do not ask."""

    kind = ErrorKind.CONFLICT
    code = "carrier_unsupported"
