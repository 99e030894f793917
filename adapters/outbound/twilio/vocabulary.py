"""Twilio's words in ours: message statuses and error codes (Twilio: message status values, error dictionary)."""

from datetime import timedelta

from application.ports.carrier import (
    BadDestination,
    CarrierRefused,
    CarrierUnavailable,
    NumberTaken,
    OptedOut,
)
from domain.messages import Status


class Gone(CarrierRefused):
    """Twilio holds no such thing: it never existed, or it was deleted."""

    code = "carrier_gone"


class TooEarly(CarrierUnavailable):
    """Twilio is still working on it and will not let it be deleted yet."""

    code = "carrier_too_early"


PATIENCE = timedelta(seconds=60)
"""How long Twilio asks us to wait, after a text's last status, before deleting it."""

STATUSES = {
    "accepted": Status.QUEUED,
    "scheduled": Status.QUEUED,
    "queued": Status.QUEUED,
    "sending": Status.SENDING,
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "read": Status.DELIVERED,
    "undelivered": Status.FAILED,
    "failed": Status.FAILED,
    "canceled": Status.FAILED,
    "receiving": Status.RECEIVED,
    "received": Status.RECEIVED,
}

MEANINGS: dict[int, type[CarrierRefused | CarrierUnavailable]] = {
    20404: Gone,
    **dict.fromkeys((20009, 20409, 21501), TooEarly),
    # 20003, 20005: our own credentials or account. That is ours to mend, and no reason to give a text up.
    **dict.fromkeys((20003, 20005, 20429, 20500, 20503, 21611, 70005), CarrierUnavailable),
    **dict.fromkeys((21422, 21452), NumberTaken),
    21610: OptedOut,
    **dict.fromkeys((21211, 21214, 21215, 21216, 21217, 21408, 21612, 21614), BadDestination),
}


def status_of(word: str) -> Status | None:
    """Translate a message status; None for a word that Twilio has added since."""
    return STATUSES.get(word)


def failure(http_status: int, code: int | None) -> CarrierRefused | CarrierUnavailable:
    """Translate an error answer. The code decides; the HTTP status only where the code is unknown or absent.

    Twilio's own text is never read: it quotes numbers.
    """
    meaning = MEANINGS.get(code or 0)
    if meaning is None:
        if http_status == 404:  # noqa: PLR2004 - HTTP
            meaning = Gone
        elif http_status in {401, 403, 408, 425, 429} or not 400 <= http_status < 500:  # noqa: PLR2004 - HTTP
            meaning = CarrierUnavailable
        else:
            meaning = CarrierRefused
    return meaning(code) if issubclass(meaning, CarrierRefused) else meaning()
