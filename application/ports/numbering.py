"""Numbering plans: what can be known of a number without asking a carrier."""

from __future__ import annotations

from typing import Protocol

from domain.destinations import Destination
from domain.values import Country, Peer, PhoneNumber


class NumberingPlan(Protocol):
    """Pure and local: no method fails, and repeating is harmless."""

    def country(self, number: PhoneNumber) -> Country | None:
        """Return the country that the number belongs to; where several share a code, by its area, else the largest."""
        ...

    def destination(self, peer: Peer, country: Country) -> Destination:
        """Return what is known of `peer`, a number or a short code, for somebody whose line is of `country`."""
        ...

    def e164(self, text: str, country: Country | None) -> PhoneNumber | None:
        """Return the number that somebody in `country` wrote, or None where that is not certain.

        One with an extension is more than E.164 can say: None.
        """
        ...
