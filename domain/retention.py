"""How long things are kept: the policy's periods as named values, and the one question asked of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Retention:
    """Periods as exact durations: a day is 24 hours."""

    soft_deleted: timedelta = timedelta(days=30)
    """From the request to delete, to the start of erasure (clause T2)."""
    revoked_session: timedelta = timedelta(days=90)
    """From revocation to purge (clause T5)."""
    unverified: timedelta = timedelta(hours=24)
    """From sign-up without verification to erasure (clause T7)."""
    export: timedelta = timedelta(hours=24)
    """From readiness to expiry of an export nobody fetched."""
    idempotency: timedelta = timedelta(hours=24)
    """How long a repeated request is recognised."""
    carrier_event: timedelta = timedelta(days=60)
    """How long a redelivered text is recognised."""
    job_log: timedelta = timedelta(days=7)
    """How long it is noted which jobs ran."""


def due(since: datetime, keep: timedelta, now: datetime) -> bool:
    """Tell whether what began at `since` has been kept for `keep`: never early, and for ever once true."""
    return now >= since + keep


def cutoff(now: datetime, keep: timedelta) -> datetime:
    """Return the latest beginning that is due.

    What began at `since` is due exactly when `since <= cutoff(now, keep)`.
    """
    return now - keep
