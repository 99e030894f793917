"""What a deletion takes, by kind: the preview before it and the receipt after it count the same rows.

A receipt lasts, and knows its account by a keyed fingerprint only. Its counts are what could still tell whose it was:
a carrier, say, may know how many messages somebody had. So it counts by kind what the preview counts, which the person
can hold against it, and everything else in one sum.
"""

from __future__ import annotations

from collections.abc import Mapping

from application.inventory import BY_TYPE
from domain.lines import PhoneLine
from domain.messages import Conversation, Message

PREVIEWED: Mapping[str, str] = {
    name: BY_TYPE[of].name
    for name, of in (("lines", PhoneLine), ("conversations", Conversation), ("messages", Message))
}
"""What the preview calls each kind that it counts, and its name in the inventory."""


def previewed(rows: Mapping[str, int]) -> dict[str, int]:
    """Return the preview's counts, of rows by their name in the inventory."""
    return {name: rows[stored] for name, stored in PREVIEWED.items()}


def receipted(rows: Mapping[str, int]) -> dict[str, int]:
    """Return the receipt's counts of the same rows, by its words: what providers deleted has words of its own."""
    return {
        "rows_deleted": sum(rows.values()),
        **{f"rows_of_{name}": count for name, count in previewed(rows).items()},
    }
