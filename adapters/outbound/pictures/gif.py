"""GIF89a: images, their timing and how often they repeat stay; comments and what applications added go."""

from __future__ import annotations

from application.ports.pictures import NotAPicture

MAGIC = (b"GIF87a", b"GIF89a")
SCREEN = 13
IMAGE, EXTENSION, TRAILER = 0x2C, 0x21, 0x3B
GRAPHIC_CONTROL, APPLICATION = 0xF9, 0xFF
LOOPS = (b"\x0bNETSCAPE2.0\x03\x01", b"\x0bANIMEXTS1.0\x03\x01")
LOOP = 19
"""Bytes of an extension that says how often to repeat, its introducer and its end included."""


def clean(content: memoryview) -> list[bytes | memoryview]:
    """Return the pieces that are left. Raises NotAPicture. What follows the end of the picture is dropped."""
    at = SCREEN + _colours(content, 10)
    kept: list[bytes | memoryview] = [content[:at]]
    has_image = False
    while (kind := _byte(content, at)) != TRAILER:
        start = at
        if kind == IMAGE:
            has_image = True
            at = _end_of_blocks(content, at + 11 + _colours(content, at + 9))
            kept.append(content[start:at])
        elif kind == EXTENSION:
            label = _byte(content, at + 1)
            at = _end_of_blocks(content, at + 2)
            if _is_needed(label, content[start + 2 : at]):
                kept.append(content[start:at])
        else:
            raise NotAPicture
    if not has_image:
        raise NotAPicture
    return [*kept, bytes((TRAILER,))]


def _is_needed(label: int, blocks: memoryview) -> bool:
    if label == GRAPHIC_CONTROL:
        return len(blocks) == 6 and blocks[0] == 4  # noqa: PLR2004 - its fixed length
    return label == APPLICATION and len(blocks) == LOOP - 2 and bytes(blocks[:14]) in LOOPS


def _byte(content: memoryview, at: int) -> int:
    if at >= len(content):
        raise NotAPicture
    return content[at]


def _colours(content: memoryview, at: int) -> int:
    """Return how long the colour table is that the packed field at `at` announces."""
    packed = _byte(content, at)
    return 3 << (packed & 7) + 1 if packed & 0x80 else 0


def _end_of_blocks(content: memoryview, at: int) -> int:
    """Return where a run of blocks ends, each behind its length, the last one empty."""
    while length := _byte(content, at):
        at += 1 + length
    return at + 1
