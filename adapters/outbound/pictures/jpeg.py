"""JPEG (ITU T.81): tables, frames and scans stay; of the rest, which way is up and how colours are coded."""

from __future__ import annotations

import re

from adapters.outbound.pictures.orientation import UPRIGHT, orientation_of, tiff_with
from application.ports.pictures import NotAPicture

MAGIC = b"\xff\xd8\xff"
SOI, EOI, SOS, APP0, APP1, APP14 = 0xD8, 0xD9, 0xDA, 0xE0, 0xE1, 0xEE
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
NEEDED = FRAMES | {0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD}
"""SOFn, DHT, DAC, SOS, DQT, DNL, DRI."""
AFTER_SCAN = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
"""The next marker: within a scan there are stuffed zeros and restarts (T.81, B.1.1.5)."""
JFIF = b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0"
"""Version 1.02, no density, no thumbnail."""


def clean(content: memoryview) -> list[bytes | memoryview]:
    """Return the pieces that are left. Raises NotAPicture. What follows the end of the picture is dropped."""
    at, orientation, has_frame, has_scan = 2, UPRIGHT, False, False
    kept: list[bytes | memoryview] = []
    head: list[bytes] = []
    while True:
        at, marker = _marker(content, at)
        if marker == EOI:
            break
        body = _segment(content, at)
        start, at = at - 2, at + 2 + len(body)
        has_frame |= marker in FRAMES
        if marker in NEEDED:
            if marker == SOS:
                has_scan = True
                at = _end_of_scan(content, at)
            kept.append(content[start:at])
        elif marker == APP0 and bytes(body[:5]) == b"JFIF\0" and not head:
            head.append(_written(APP0, JFIF))
        elif marker == APP14 and len(body) >= 12 and bytes(body[:5]) == b"Adobe":  # noqa: PLR2004 - its fixed length
            kept.append(_written(APP14, b"Adobe\0\x64\0\0\0\0" + bytes(body[11:12])))
        elif marker == APP1 and bytes(body[:6]) == b"Exif\0\0" and orientation == UPRIGHT:
            orientation = orientation_of(bytes(body[6:]))
    if not (has_frame and has_scan):
        raise NotAPicture
    if orientation != UPRIGHT:
        head.append(_written(APP1, b"Exif\0\0" + tiff_with(orientation)))
    return [bytes((0xFF, SOI)), *head, *kept, bytes((0xFF, EOI))]


def _marker(content: memoryview, at: int) -> tuple[int, int]:
    """Return where a marker's segment begins, and the marker. Any number of fill bytes may stand before it."""
    start = at
    while at < len(content) and content[at] == 0xFF:  # noqa: PLR2004 - what every marker begins with
        at += 1
    if at in {start, len(content)}:
        raise NotAPicture
    return at + 1, content[at]


def _segment(content: memoryview, at: int) -> memoryview:
    length = int.from_bytes(content[at : at + 2])
    body = content[at + 2 : at + length]
    if length < 2 or len(body) < length - 2:  # noqa: PLR2004 - the length counts itself
        raise NotAPicture
    return body


def _end_of_scan(content: memoryview, at: int) -> int:
    found = AFTER_SCAN.search(content, at)
    if found is None:
        raise NotAPicture
    return found.start()


def _written(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body
