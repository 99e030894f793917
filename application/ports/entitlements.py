"""What accounts are entitled to: a fixed plan for all, or what each pays for."""

from __future__ import annotations

from typing import Protocol

from domain.entitlements import Plan
from domain.kernel import AccountId


class Entitlements(Protocol):
    """Asked before a number is ordered, and again by the job that completes an order."""

    async def plan(self, account_id: AccountId) -> Plan:
        """Return what the account is entitled to now. Repeating is harmless.

        May raise a PicoError of kind UNAVAILABLE: then nothing is bought, and asking later helps.
        """
        ...
