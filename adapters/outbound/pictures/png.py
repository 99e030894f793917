"""PNG (W3C, third edition): the chunks that make the picture and its animation stay."""

from __future__ import annotations

from zlib import crc32

from adapters.outbound.pictures.orientation import UPRIGHT, orientation_of, tiff_with
from application.ports.pictures import NotAPicture

MAGIC = b"\x89PNG\r\n\x1a\n"
ANY = 1 << 31
LONGEST = {
    b"IHDR": 13, b"PLTE": 768, b"IDAT": ANY, b"tRNS": 256, b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"sBIT": 4,
    b"acTL": 8, b"fcTL": 26, b"fdAT": ANY,
}  # fmt: skip
"""What stays, and how long it can be."""


def clean(content: memoryview) -> list[bytes | memoryview]:
    """Return the pieces that are left. Raises NotAPicture. What follows the end of the picture is dropped."""
    at, orientation = len(MAGIC), UPRIGHT
    kept: list[bytes | memoryview] = [MAGIC]
    kinds: list[bytes] = []
    while not kinds or kinds[-1] != b"IEND":
        length, kind = int.from_bytes(content[at : at + 4]), bytes(content[at + 4 : at + 8])
        chunk = content[at : at + 12 + length]
        if len(chunk) < 12 + length or crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:]):
            raise NotAPicture
        at += len(chunk)
        kinds.append(kind)
        if kind == b"eXIf" and orientation == UPRIGHT:
            orientation = orientation_of(bytes(chunk[8:-4]))
        elif length <= LONGEST.get(kind, -1):
            kept.append(chunk)
        elif kind[:1].isupper() and kind != b"IEND":
            raise NotAPicture  # what we do not know, and nothing can be shown without
    if kinds[0] != b"IHDR" or b"IDAT" not in kinds:
        raise NotAPicture
    if orientation != UPRIGHT:
        kept.append(_written(b"eXIf", tiff_with(orientation)))
    return [*kept, _written(b"IEND", b"")]


def _written(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + crc32(kind + body).to_bytes(4)
