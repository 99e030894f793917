"""How old the news may be that a lease was renewed."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

from application.ports.store import StoreUnavailable


def must_be_recent(asked_at: float, lease: timedelta) -> None:
    """Raise StoreUnavailable when a lease that lasts so long was renewed too long ago for a write to a provider.

    `asked_at`: by the monotonic clock, before the database was asked.
    """
    if monotonic() - asked_at > lease.total_seconds() / 3:
        raise StoreUnavailable
