"""In how many pieces a message travels, and in which alphabet: that is what carriers count, and charge."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from domain.values import MessageBody

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet of 7 bits (3GPP TS 23.038, 6.2.1), without the escape to its extension."""
EXTENSION = "\f^{}\\[~]|€"
"""Characters that take two of its places, the first of them the escape (6.2.1.1)."""
_ONE_PLACE_EACH = re.compile(f"[{re.escape(BASIC)}]*\\Z")
_EXTENDED = re.compile(f"[{re.escape(EXTENSION)}]")
_GSM_7 = re.compile(f"[{re.escape(BASIC + EXTENSION)}]*\\Z")
_WIDE = re.compile("[\U00010000-\U0010ffff]")


class Encoding(StrEnum):
    """The alphabet of a message: one character outside the smaller one brings all of it into the larger."""

    GSM_7 = "gsm_7"
    UCS_2 = "ucs_2"


ALONE = {Encoding.GSM_7: 160, Encoding.UCS_2: 70}
"""Units in a message of one segment: septets, or UTF-16 code units (3GPP TS 23.040, 9.2.3.16)."""
OF_MANY = {Encoding.GSM_7: 153, Encoding.UCS_2: 67}
"""Units in each of many, which begin with six bytes that say which one it is (9.2.3.24.1)."""
_GSM_7_UNITS, _UCS_2_UNITS = ((encoding, ALONE[encoding], OF_MANY[encoding]) for encoding in Encoding)


class Segments(NamedTuple):
    """How a message is cut. `units_left`: how many more units it takes without another segment."""

    encoding: Encoding
    units: int
    count: int  # type: ignore[assignment]  # nobody looks for how often a value occurs in it
    units_left: int


def segments_of(body: MessageBody) -> Segments:
    """Tell how a message without pictures is cut; an empty one is one segment.

    No character is cut in two: what takes two units and does not fit goes into the next segment as a whole, as Twilio
    does it too (3GPP TS 23.040, 9.2.3.24.1: neither an escape nor half of a surrogate pair stands alone).
    """
    doubles: list[int] = []
    if _ONE_PLACE_EACH.match(body):  # nearly always; a page of 50 messages asks 50 times
        encoding, alone, size = _GSM_7_UNITS
    else:
        encoding, alone, size = _GSM_7_UNITS if _GSM_7.match(body) else _UCS_2_UNITS
        double = _EXTENDED if encoding is Encoding.GSM_7 else _WIDE
        doubles = [found.start() for found in double.finditer(body)]
    units = len(body) + len(doubles)
    if units <= alone:
        return Segments(encoding, units, 1, alone - units)
    used = 0
    """Units up to here, those included that a segment left empty."""
    after = 0
    for at in doubles:
        used += at - after
        used += 2 + (used % size == size - 1)
        after = at + 1
    used += len(body) - after
    count = -(-used // size)
    return Segments(encoding, units, count, count * size - used)
