"""Twilio's words in ours: message statuses and error codes (Twilio: message status values, error dictionary)."""

from datetime import timedelta

import structlog

from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.ports.message_carrier import OptedOut, SenderRefused, TooEarly, Unreachable
from domain.failures import FailureReason
from domain.messages import Status

log = structlog.get_logger()

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


FAILURES: dict[int, FailureReason] = {
    **{code: refusal.failure for code, refusal in REFUSALS.items()},
    **dict.fromkeys((30003, 30005, 30006), FailureReason.UNREACHABLE),
    **dict.fromkeys((21617, 30004, 30007, 30450), FailureReason.REJECTED),
    **dict.fromkeys((30018, 30024, 30032, 30033, 30034, 30035), FailureReason.UNSUPPORTED),
    **dict.fromkeys((30001, 30002, 30017, 30022, 30023, 30410), FailureReason.CARRIER_OUTAGE),
}
"""Why a message failed, by Twilio's code. 30008 says that Twilio does not know, and so does none."""


def status_of(word: str) -> Status | None:
    """Translate a message status; None for a word that Twilio has added since."""
    return STATUSES.get(word)


def failure_of(code: int | None) -> FailureReason:
    """Translate the code of a message that failed."""
    return FAILURES.get(code or 0, FailureReason.UNKNOWN)


def outcome_of(word: str, code: int | None) -> tuple[Status, FailureReason | None] | None:
    """Translate a message status and the code that comes with it; None for a word that Twilio has added since.

    The code of one that failed is logged for operators, and goes no further.
    """
    status = status_of(word)
    if status is None:
        return None
    if status is not Status.FAILED:
        return status, None
    failure = failure_of(code)
    log.info("message failed", code=code, failure=failure.value)
    return status, failure


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
