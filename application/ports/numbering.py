"""Numbering plans: what can be known of a number without asking a carrier."""

from __future__ import annotations

from typing import Protocol

from domain.values import Country, PhoneNumber


class NumberingPlan(Protocol):
    """Pure and local: no method fails, and repeating is harmless."""

    def countries(self, number: PhoneNumber) -> frozenset[Country]:
        """Return the countries whose numbering plan the number belongs to: several share +1 (ITU-T E.164)."""
        ...
