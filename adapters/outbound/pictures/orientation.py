"""Which way is up: the one thing a camera writes (Exif 2.32, tag 0x0112) without which a picture shows another."""

from __future__ import annotations

from typing import Literal

ORIENTATION, SHORT = 0x0112, 3
UPRIGHT = 1
ENTRY = 12


def orientation_of(tiff: bytes) -> int:
    """Read a TIFF structure as far as its orientation, 1 to 8; upright where there is none, or nonsense."""
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"
    if tiff[:4] not in {b"II*\0", b"MM\0*"}:
        return UPRIGHT
    begin = int.from_bytes(tiff[4:8], order)
    count = int.from_bytes(tiff[begin : begin + 2], order)
    for at in range(begin + 2, min(begin + 2 + count * ENTRY, len(tiff)), ENTRY):
        entry = tiff[at : at + ENTRY]
        if int.from_bytes(entry[:2], order) == ORIENTATION and int.from_bytes(entry[2:4], order) == SHORT:
            value = int.from_bytes(entry[8:10], order)
            return value if 1 <= value <= 8 else UPRIGHT  # noqa: PLR2004 - Exif
    return UPRIGHT


def tiff_with(orientation: int) -> bytes:
    """Write a TIFF structure that says this and nothing else."""
    entry = b"".join(
        part.to_bytes(size) for part, size in ((ORIENTATION, 2), (SHORT, 2), (1, 4), (orientation, 2))
    )
    return b"MM\0*" + (8).to_bytes(4) + (1).to_bytes(2) + entry + bytes(2) + bytes(4)
