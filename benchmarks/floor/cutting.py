"""How the floor tells the alphabet and the segments of a message, as its answers show them."""

from __future__ import annotations

import re

PLAIN = re.compile("[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,\\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà]*\\Z")
DOUBLE = frozenset("\f^{}\\[~]|€")


def cut(body: str) -> tuple[str, int]:
    """Return the alphabet's name and how many segments there are."""
    if PLAIN.match(body):
        return "gsm_7", 1 if len(body) <= 160 else -(-len(body) // 153)
    if PLAIN.match("".join(sign for sign in body if sign not in DOUBLE)):
        return "gsm_7", _segments([2 if sign in DOUBLE else 1 for sign in body], 160, 153)
    return "ucs_2", _segments([2 if sign > "\uffff" else 1 for sign in body], 70, 67)


def _segments(sizes: list[int], alone: int, of_many: int) -> int:
    if sum(sizes) <= alone:
        return 1
    segments, used = 1, 0
    for size in sizes:
        if used + size > of_many:
            segments, used = segments + 1, 0
        used += size
    return segments
