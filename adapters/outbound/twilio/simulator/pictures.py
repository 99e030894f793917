"""A picture for whoever has none at hand, with something written into its file."""

from zlib import compress, crc32

SIDE = 32


def tiny_picture(comment: str) -> bytes:
    """Return a PNG of a few grey steps whose file holds this comment, as cameras write a place."""
    rows = b"".join(bytes([0, *(x * 8 ^ y * 8 for x in range(SIDE))]) for y in range(SIDE))
    header = SIDE.to_bytes(4) * 2 + bytes((8, 0, 0, 0, 0))
    text = b"Location\0\0\0\0\0" + comment.encode()
    chunks = ((b"IHDR", header), (b"iTXt", text), (b"IDAT", compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + crc32(kind + body).to_bytes(4)
