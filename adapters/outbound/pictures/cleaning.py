"""Cleaning without decoding: parts that a format needs are copied, all others are left out.

So nothing of what the picture shows changes, no decoder meets a hostile file, and memory stays at the file's size:
decoded, 5 MB may be a hundred times as much. It is an allow-list: what no format knows yet does not pass either.
"""

from __future__ import annotations

from typing_extensions import override

from adapters.outbound.pictures import gif, jpeg, png, webp
from application.ports.pictures import CleanPicture, NotAPicture, Pictures
from domain.media import MediaType

CLEANERS = {
    MediaType.JPEG: jpeg.clean,
    MediaType.PNG: png.clean,
    MediaType.GIF: gif.clean,
    MediaType.WEBP: webp.clean,
}


class AllowListedPictures(Pictures):
    """`Pictures` for JPEG, PNG, GIF and WebP."""

    @override
    def clean(self, content: bytes | bytearray) -> CleanPicture:
        kind = _kind_of(bytes(content[:12]))
        if kind is None:
            raise NotAPicture
        pieces = CLEANERS[kind](memoryview(content).toreadonly())
        return CleanPicture(kind, [piece for piece in pieces if len(piece)])


def _kind_of(head: bytes) -> MediaType | None:
    """Tell what a file is by its first bytes."""
    if head.startswith(jpeg.MAGIC):
        return MediaType.JPEG
    if head.startswith(png.MAGIC):
        return MediaType.PNG
    if head.startswith(gif.MAGIC):
        return MediaType.GIF
    return MediaType.WEBP if head[:4] == b"RIFF" and head[8:] == b"WEBP" else None
