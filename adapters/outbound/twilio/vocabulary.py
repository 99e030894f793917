"""Twilio's words in ours: message statuses and error codes (Twilio: message status values, error dictionary)."""

from datetime import timedelta

from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.ports.message_carrier import OptedOut, SenderRefused, TooEarly, Unreachable
from domain.messages import Status

LIFE = timedelta(hours=10)
"""How long Twilio tries to hand a message on (Twilio: ValidityPeriod, whose default is its longest)."""
SETTLES_AFTER = timedelta(seconds=60)
"""How long after a message's last status Twilio deletes it (Twilio: error 20009); rarely it takes days."""


class Gone(CarrierRefused):
    """Twilio holds no such thing: it never existed, or it was deleted."""

    code = "carrier_gone"


class NotForSale(CarrierRefused):
    """Twilio does not sell this number, or sold it to somebody else."""

    code = "carrier_not_for_sale"


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

REFUSALS: dict[int, type[CarrierRefused]] = {
    20404: Gone,
    **dict.fromkeys((21422, 21452), NotForSale),
    **dict.fromkeys((21210, 21212, 21606, 21621, 21703), SenderRefused),
    21610: OptedOut,
    **dict.fromkeys(
        (21211, 21214, 21215, 21216, 21217, 21265, 21266, 21268, 21408, 21612, 21614, 21635), Unreachable
    ),
}
TOO_EARLY = frozenset({20009, 20409, 21501})
"""Twilio is still working on it and will not let it be deleted yet."""
UNAVAILABLE = frozenset({20003, 20005, 20429, 20500, 20503, 21611, 70005})
"""20003, 20005: our own credentials or account. That is ours to mend, and no reason to give a message up."""


def status_of(word: str) -> Status | None:
    """Translate a message status; None for a word that Twilio has added since."""
    return STATUSES.get(word)


def failure(http_status: int, code: int | None) -> CarrierRefused | CarrierUnavailable:
    """Translate an error answer. The code decides; the HTTP status only where the code is unknown or absent.

    Twilio's own sentence is never read: it quotes numbers.
    """
    if code in TOO_EARLY:
        return TooEarly(SETTLES_AFTER)
    if code in UNAVAILABLE:
        return CarrierUnavailable()
    if refusal := REFUSALS.get(code or 0):
        return refusal(code)
    if http_status == 404:  # noqa: PLR2004 - HTTP
        return Gone(code)
    if http_status in {401, 403, 408, 425, 429} or not 400 <= http_status < 500:  # noqa: PLR2004 - HTTP
        return CarrierUnavailable()
    return CarrierRefused(code)
