"""Which language a page is in: the one that is asked for, or the one that the reader's browser likes best."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from domain.language_tags import canonical

L = TypeVar("L", bound=str)
WEIGHED = re.compile(r"\s*([A-Za-z0-9*-]{1,128})\s*(?:;\s*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?\Z")
MOST = 32
"""How many languages of a header are looked at."""


def preferred(header: str, offered: Sequence[L]) -> L:
    """Return what the header Accept-Language likes best of `offered`: the first of those that it likes alike.

    Only the language counts, not the region: "he-IL" is Hebrew. What is no such header likes nothing, and gets the
    first.
    """
    weights: dict[str, float] = {}
    for part in header.split(",", MOST)[:MOST]:
        if (match := WEIGHED.match(part)) is None:
            continue
        tag, weight = match[1], float(match[2] or 1)
        language = "*" if tag == "*" else (canonical(tag) or "").partition("-")[0]
        weights[language] = max(weights.get(language, 0), weight)
    return max(offered, key=lambda one: weights.get(one, weights.get("*", 0)))
