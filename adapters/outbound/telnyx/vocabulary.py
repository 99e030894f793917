"""Telnyx's words in ours: message statuses and error codes (Telnyx: messaging error codes)."""

from datetime import timedelta

import structlog

from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable
from application.ports.message_carrier import OptedOut, SenderRefused, Unreachable
from domain.failures import FailureReason
from domain.messages import Status

log = structlog.get_logger()

LIFE = timedelta(hours=24)
"""How long after it was handed over a message may still be reported on; what is later counts all the same."""
KEY_HOLDS = timedelta(hours=24)
"""How long a repeated send is answered with the first one (Telnyx: Idempotency-Key)."""
SHOWN_FOR = timedelta(days=10)
"""How long Telnyx shows a message by its id (Telnyx: retrieve a message). It deletes none when asked."""


class Gone(CarrierRefused):
    """Telnyx holds no such thing: it never existed, was deleted, or is shown no more."""

    code = "carrier_gone"


STATUSES = {
    "scheduled": Status.QUEUED,
    "queued": Status.QUEUED,
    "sending": Status.SENDING,
    "sent": Status.SENT,
    "delivered": Status.DELIVERED,
    "delivery_unconfirmed": Status.UNCONFIRMED,
    "delivery_failed": Status.FAILED,
    "sending_failed": Status.FAILED,
    "expired": Status.FAILED,
    "cancelled": Status.FAILED,
}

REFUSALS: dict[int, type[CarrierRefused]] = {
    10005: Gone,
    40300: OptedOut,
    **dict.fromkeys((10001, 40013, 40305, 40306, 40307, 40308), SenderRefused),
    **dict.fromkeys((10002, 10016, 40001, 40012, 40309, 40310, 40319), Unreachable),
    **dict.fromkeys(
        (10003, 10004, 10015, 10023, 40301, 40302, 40303, 40304, 40316, 40317, 40322), CarrierRefused
    ),
}
UNAVAILABLE = frozenset(
    {10007, 10008, 10009, 10010, 10011, 20100, 40311, 40312, 40314, 40315, 40318, 40320, 40333}
)
"""Besides outages: our own credentials, balance or profile. These are ours to mend, and no reason to give up."""
NOT_FOR_SALE = frozenset({10027, 85001, 85006})
"""Codes that answer an order for a number that somebody else has, or that is not sold."""

FAILURES: dict[int, FailureReason] = {
    **{code: refusal.failure for code, refusal in REFUSALS.items() if refusal is not Gone},
    **dict.fromkeys((40002, 40003, 40004, 40009, 40015, 40016, 40017, 40018, 40322), FailureReason.REJECTED),
    **dict.fromkeys((40010, 40329, 40330, 40331), FailureReason.UNSUPPORTED),
    **dict.fromkeys((40005, 40006, 40011, 40014, 40318), FailureReason.CARRIER_OUTAGE),
}
"""Why a message failed, by Telnyx's code. 40008 says that Telnyx does not know, and so does none."""


def outcome_of(word: str, code: int | None) -> tuple[Status, FailureReason | None] | None:
    """Translate a message status and the code that comes with it; None for a word that Telnyx has added since.

    The code of one that failed is logged for operators, and goes no further.
    """
    status = STATUSES.get(word)
    if status is None:
        return None
    if status is not Status.FAILED:
        return status, None
    known = FailureReason.CARRIER_OUTAGE if word == "expired" else FailureReason.UNKNOWN
    failure = FAILURES.get(code or 0, known)
    log.info("message failed", code=code, failure=failure.value)
    return status, failure


def failure(
    http_status: int, code: int | None, *, keyed: bool = False
) -> CarrierRefused | CarrierUnavailable:
    """Translate an error answer. The code decides; the HTTP status only where the code is unknown or absent.

    Under an idempotency key (`keyed`) 422 may say that the key was used with other bytes, so that it was done: that is
    no refusal (Telnyx: idempotency). Telnyx's own sentences are never read: they quote numbers.
    """
    if code in UNAVAILABLE:
        return CarrierUnavailable()
    if refusal := REFUSALS.get(code or 0):
        return refusal(code)
    if http_status == 404:  # noqa: PLR2004 - HTTP
        return Gone(code)
    if keyed and http_status == 422:  # noqa: PLR2004 - HTTP
        return CarrierUnavailable()
    if http_status in {401, 402, 403, 408, 409, 425, 429} or not 400 <= http_status < 500:  # noqa: PLR2004 - HTTP
        return CarrierUnavailable()
    return CarrierRefused(code)
