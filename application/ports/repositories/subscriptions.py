"""Reading an account's subscription."""

from __future__ import annotations

from typing import Protocol

from domain.billing import Subscription


class Subscriptions(Protocol):
    """The one row that says what the account pays for."""

    async def find(self) -> Subscription | None:
        """Return it, broken or not; None for an account that never looked at a checkout."""
        ...
