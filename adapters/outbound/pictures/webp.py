"""WebP (RFC 9649): the chunks that make the picture and its animation stay."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.outbound.pictures.orientation import UPRIGHT, orientation_of, tiff_with
from application.ports.pictures import NotAPicture

HAS_ALPHA, HAS_EXIF, IS_ANIMATED = 0x10, 0x08, 0x02
FRAME_HEAD, EXTENDED, ANIMATION = 16, 10, 6
IMAGES = frozenset({b"VP8 ", b"VP8L", b"ALPH"})


def clean(content: memoryview) -> list[bytes | memoryview]:
    """Return the pieces that are left. Raises NotAPicture. What follows the end of the picture is dropped."""
    orientation, head, kept = UPRIGHT, b"", list[bytes | memoryview]()
    for kind, body in _chunks(content[12 : 8 + int.from_bytes(content[4:8], "little")]):
        if kind == b"VP8X" and len(body) == EXTENDED and not head:
            head = bytes((body[0] & (HAS_ALPHA | IS_ANIMATED), 0, 0, 0)) + bytes(body[4:])
        elif kind == b"EXIF" and orientation == UPRIGHT:
            orientation = orientation_of(bytes(body).removeprefix(b"Exif\0\0"))
        elif kind == b"ANMF":
            frame = [
                part
                for found in _chunks(body[FRAME_HEAD:])
                if found[0] in IMAGES
                for part in _written(*found)
            ]
            kept += _written(kind, b"".join([bytes(body[:FRAME_HEAD]), *frame]))
        elif kind in IMAGES or (kind == b"ANIM" and len(body) == ANIMATION):
            kept += _written(kind, body)
    if not kept:
        raise NotAPicture
    if head and orientation != UPRIGHT:
        head = bytes((head[0] | HAS_EXIF,)) + head[1:]
        kept += _written(b"EXIF", tiff_with(orientation))
    pieces = [*(_written(b"VP8X", head) if head else ()), *kept]
    size = 4 + sum(map(len, pieces))
    return [b"RIFF" + size.to_bytes(4, "little") + b"WEBP", *pieces]


def _chunks(content: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield kind and body of each chunk. Raises NotAPicture."""
    at = 0
    while at < len(content):
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        body = content[at + 8 : at + 8 + length]
        if len(content) < at + 8 or len(body) < length:
            raise NotAPicture
        yield bytes(content[at : at + 4]), body
        at += 8 + length + length % 2


def _written(kind: bytes, body: bytes | memoryview) -> list[bytes | memoryview]:
    return [kind + len(body).to_bytes(4, "little"), body, bytes(len(body) % 2)]
