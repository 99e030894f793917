"""The floor's cryptography: Pico's format at rest, byte for byte, written against `cryptography` and `hmac` alone."""

from __future__ import annotations

import hmac
import time
from os import urandom
from zlib import crc32

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_SECONDS = 300.0
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def prefixed(part: bytes) -> bytes:
    return len(part).to_bytes(4) + part


PEER, ONCE_KEY, ONCE_REQUEST, TOKEN, NUMBER = (
    prefixed(purpose)
    for purpose in (
        b"conversations.peer",
        b"idempotency_records.key",
        b"idempotency_records.request",
        b"sessions.token",
        b"phone_lines.number",
    )
)
"""What each blind index is over, apart from the value."""


def blind_index(key: bytes, purpose: bytes, value: str) -> bytes:
    return hmac.digest(key, purpose + value.encode(), "sha256")


class Vault:
    """One account's working keys, and the associated data of its two sealed columns up to the row id."""

    __slots__ = ("after", "body", "decrypt", "encrypt", "expires", "header", "index", "peer")

    def __init__(self, environment: str, account: bytes, version: int, material: bytes) -> None:
        aead = AESGCM(HKDF(SHA256(), 32, None, b"pico sealed columns").derive(material))
        number = version.to_bytes(2)
        self.encrypt, self.decrypt = aead.encrypt, aead.decrypt
        self.index = HKDF(SHA256(), 32, None, b"pico blind indexes").derive(material)
        self.header, self.after = b"\x01" + number, prefixed(number)
        self.body, self.peer = (
            b"".join(map(prefixed, (environment.encode(), *column, account))) + (16).to_bytes(4)
            for column in ((b"messages", b"body"), (b"conversations", b"peer"))
        )
        self.expires = time.monotonic() + KEY_SECONDS

    def seal(self, before: bytes, row: bytes, text: str) -> bytes:
        nonce = urandom(12)
        return self.header + nonce + self.encrypt(nonce, text.encode(), before + row + self.after)

    def open(self, before: bytes, row: bytes, blob: bytes) -> str:
        if blob[:3] != self.header:
            raise ValueError("sealed under another key")
        return self.decrypt(blob[3:15], blob[15:], before + row + self.after).decode()


class NewIds:
    """UUIDv7 that never falls: milliseconds, a counter within them, 62 random bits."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self) -> tuple[bytes, str]:
        """Return a new id twice: as bytes, and as it is written."""
        self._last = stamp = max(time.time_ns() // 1_000_000 << 12, self._last + 1)
        tail = urandom(8)
        raw = (
            (stamp >> 12 << 16 | 0x7000 | stamp & 0xFFF).to_bytes(8)
            + bytes((tail[0] & 0x3F | 0x80,))
            + tail[1:]
        )
        text = raw.hex()
        return raw, f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def well_formed(token: str) -> bool:
    """Tell whether a bearer token's check digits fit."""
    body, check = token[:-6], token[-6:]
    if len(body) != 51 or not body.startswith("pico_s1_"):
        return False
    number, digits = crc32(body.encode()), []
    for _ in check:
        number, digit = divmod(number, 62)
        digits.append(DIGITS[digit])
    return "".join(reversed(digits)) == check
