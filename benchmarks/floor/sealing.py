"""The floor's cryptography: Pico's format at rest, byte for byte, written against `cryptography` and `hmac` alone."""

from __future__ import annotations

import hmac
import time
from contextlib import suppress
from datetime import datetime
from os import urandom
from zlib import crc32

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from benchmarks.floor.binding import identity, line_data, prefixed, words

KEY_SECONDS = 300.0
ONES = b"\xff"
"""What missing values are written with: at the end of what a cell is bound to they make no bytes."""
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


PEER, STOPPED, BLOCKED, ACT, ASKED, TOKEN, NUMBER, SAVED, SPENT = (
    prefixed(purpose)
    for purpose in (
        b"conversations.peer",
        b"opt_outs.peer",
        b"blocked_numbers.number",
        b"idempotency_records.key",
        b"idempotency_records.request",
        b"sessions.token",
        b"phone_lines.number",
        b"contact_numbers.number",
        b"spend",
    )
)
"""What each blind index is over, apart from the value."""


class Broken(Exception):
    """A sealed cell does not open here, beside these values."""


def blind_index(key: bytes, purpose: bytes, value: str) -> bytes:
    return hmac.digest(key, purpose + value.encode(), "sha256")


class Line:
    """A line whose row was opened: the row, and what follows from it."""

    __slots__ = ("bound", "carries", "country", "number", "row", "state", "version")

    def __init__(self, vault: Vault, line: bytes, row: tuple) -> None:
        """Open a row of `database.LINE`. Raises Broken."""
        number, label, state, ref, created_at, released_at, release_at, version, capabilities, country = row
        bound = line_data(state, ref, (created_at, released_at, release_at), version)
        self.number = vault.open(vault.number, line, number, bound).decode()
        if label is not None:  # nothing depends on it: one that does not open holds nothing up
            with suppress(Broken):
                vault.open(vault.label, line, label)
        self.row, self.state, self.version = row, state, version
        self.carries, self.country = "sms" in capabilities, country
        self.bound = identity(line)


class Vault:
    """One account's working keys, the associated data of its sealed columns up to the row id, and lines it opened."""

    __slots__ = (
        "act", "after", "body", "decrypt", "encrypt", "expires", "fingerprint", "header", "index", "label", "lines",
        "name", "number", "numbers", "peer", "spent",
    )  # fmt: skip

    def __init__(self, environment: str, account: bytes, version: int, material: bytes) -> None:
        aead = AESGCM(HKDF(SHA256(), 32, None, b"pico sealed columns").derive(material))
        key_version = version.to_bytes(2)
        self.encrypt, self.decrypt = aead.encrypt, aead.decrypt
        self.index = HKDF(SHA256(), 32, None, b"pico blind indexes").derive(material)
        self.header, self.after = b"\x01" + key_version, prefixed(key_version)
        self.body, self.peer, self.fingerprint, self.number, self.label, self.act, self.name, self.numbers = (
            words(environment, table, column) + identity(account) + (16).to_bytes(4)
            for table, column in (
                ("messages", "body"), ("conversations", "peer"), ("sessions", "fingerprint"),
                ("phone_lines", "number"), ("phone_lines", "label"), ("idempotency_records", "seal"),
                ("contacts", "name"), ("contacts", "numbers"),
            )
        )  # fmt: skip
        self.lines: dict[bytes, Line] = {}
        self.spent: bytes | None = None
        """Whose limit it is, once that was asked."""
        self.expires = time.monotonic() + KEY_SECONDS

    def seal(self, before: bytes, row: bytes, value: bytes, bound: bytes) -> bytes:
        nonce = urandom(12)
        return (
            self.header + nonce + self.encrypt(nonce, value, before + row + self.after + bound.rstrip(ONES))
        )

    def open(self, before: bytes, row: bytes, blob: bytes, bound: bytes = b"") -> bytes:
        """Return what was sealed. Raises Broken."""
        if blob[:3] != self.header or len(blob) < 31:
            raise Broken
        try:
            return self.decrypt(blob[3:15], blob[15:], before + row + self.after + bound.rstrip(ONES))
        except InvalidTag:
            raise Broken from None

    def line(self, line: bytes, row: tuple) -> Line:
        """Return what a row says of a line: opened, unless it is the very row that was opened before. Raises Broken."""
        known = self.lines.get(line)
        if known is None or known.row != row:
            known = self.lines[line] = Line(self, line, row)
        return known


class NewIds:
    """UUIDv7 that never falls: milliseconds, a counter within them, 62 random bits."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self, after: datetime | None = None) -> tuple[bytes, str]:
        """Return a new id, that of a later millisecond than `after`, twice: as bytes, and as it is written."""
        now = time.time()
        if after is not None and (last := after.timestamp()) > now:
            now = last + 0.001
        self._last = stamp = max(int(now * 1000) << 12, self._last + 1)
        tail = urandom(8)
        raw = (
            (stamp >> 12 << 16 | 0x7000 | stamp & 0xFFF).to_bytes(8)
            + bytes((tail[0] & 0x3F | 0x80,))
            + tail[1:]
        )
        text = raw.hex()
        return raw, f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


new_id = NewIds()


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
