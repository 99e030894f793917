"""Whose a purchase is: the account's id, which the app hands to the store when it sells."""

from __future__ import annotations

from uuid import UUID

from domain.kernel import AccountId


def account_of(named: object) -> AccountId | None:
    """Return the account that the app named; None for none."""
    try:
        return AccountId(UUID(named)) if isinstance(named, str) else None
    except ValueError:
        return None
