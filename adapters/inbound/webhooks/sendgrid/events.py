"""What of SendGrid's events concerns us: that an address takes no mail. Everything else they tell is passed over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

from adapters.inbound.email_addresses import email_address
from domain.accounts import Unreachable
from domain.values import Email, InvalidEmail

DROPPED: Mapping[str, Unreachable] = MappingProxyType({
    "Bounced Address": Unreachable.RETURNED,
    "Invalid": Unreachable.INVALID,
    "Spam Reporting Address": Unreachable.UNWANTED,
})  # fmt: skip
"""Why SendGrid does not even try, of the reasons that it gives for that."""
SOFT = "blocked"
"""What a bounce is called that says nothing of the address: its server takes nothing of the sender's for now."""
LATEST = 253_402_300_799
"""The last second of the year 9999."""


class Undelivered(NamedTuple):
    """An address that took no mail, why, and when."""

    email: Email
    why: Unreachable
    at: datetime


def undelivered(batch: object) -> Iterator[Undelivered]:
    """Yield each address of a batch once that takes no mail, by the first event that says so.

    Raises ValueError for what is no batch. An event that makes no sense is passed over: others of its batch do.
    """
    if not isinstance(batch, list):
        raise ValueError("no batch")  # noqa: TRY004 - as of all that is malformed
    told: set[str] = set()
    for event in batch:
        found = _read(event) if isinstance(event, dict) else None
        if found is not None and found.email.canonical not in told:
            told.add(found.email.canonical)
            yield found


def _read(event: Mapping[str, object]) -> Undelivered | None:
    why, email, at = _why(event), event.get("email"), event.get("timestamp")
    if why is None or not isinstance(email, str) or type(at) is not int or not 0 < at <= LATEST:
        return None
    try:
        return Undelivered(email_address(email), why, datetime.fromtimestamp(at, UTC))
    except InvalidEmail:
        return None


def _why(event: Mapping[str, object]) -> Unreachable | None:
    match event.get("event"):
        case "bounce":
            return None if event.get("type") == SOFT else Unreachable.RETURNED
        case "spamreport":
            return Unreachable.UNWANTED
        case "dropped":
            reason = event.get("reason")
            return DROPPED.get(reason) if isinstance(reason, str) else None
    return None
