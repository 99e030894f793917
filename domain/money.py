"""Amounts of money, exact: a whole number of a currency's smallest unit."""

from __future__ import annotations

import re
from typing import NamedTuple

CURRENCY = re.compile(r"[A-Z]{3}\Z")
"""ISO 4217."""


class Money(NamedTuple):
    """So many of a currency's smallest unit, as ISO 4217 counts them: 115 of USD are $1.15, 115 of JPY are ¥115."""

    amount: int
    currency: str


def sums(amounts: list[Money]) -> list[Money]:
    """Return what they come to, by currency: nothing is converted."""
    totals: dict[str, int] = {}
    for amount, currency in amounts:
        totals[currency] = totals.get(currency, 0) + amount
    return [Money(total, currency) for currency, total in sorted(totals.items())]
