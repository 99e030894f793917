"""Bearer tokens with check digits, and signed verification tokens."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from datetime import datetime
from uuid import UUID

from typing_extensions import override

from application.ports.keyring import Keyring
from application.ports.tokens import Purpose, Tokens
from domain.kernel import AccountId
from domain.values import SessionToken

SESSION_PREFIX, VERIFICATION_PREFIX = "pico_s1_", "pico_v1_"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MAILED_PREFIX = "pico_{}1_"
"""By what a scanner knows a token in a place where none belongs, and what it is for."""
SAID = 40
"""Bytes of what a mailed token says: account id, expiry, mark."""
TOKEN_DIGITS, CHECK_DIGITS = 43, 6
"""Base-62 digits that hold 256 bits, and 32."""


class SignedTokens(Tokens):
    """Bearer tokens with check digits, and verification tokens signed under a system key."""

    def __init__(self, keyring: Keyring) -> None:
        """Sign under the keyring's "verification" key."""
        self._keyring = keyring

    @override
    def session(self) -> SessionToken:
        body = SESSION_PREFIX + base62(int.from_bytes(secrets.token_bytes(32)), TOKEN_DIGITS)
        return SessionToken(body + checksum(body))

    @override
    def well_formed(self, token: str) -> bool:
        body, check = token[:-CHECK_DIGITS], token[-CHECK_DIGITS:]
        return (
            len(body) == len(SESSION_PREFIX) + TOKEN_DIGITS
            and body.startswith(SESSION_PREFIX)
            and body.isascii()
            and checksum(body) == check
        )

    @override
    async def verification(self, account_id: AccountId, expires_at: datetime) -> str:
        """Return account id, expiry in seconds, and HMAC-SHA-256 over both, as base64url."""
        said = account_id.bytes + int(expires_at.timestamp()).to_bytes(8)
        return VERIFICATION_PREFIX + unpadded(said + await self._mac(said))

    @override
    async def verified(self, token: str, now: datetime) -> AccountId | None:
        try:
            written = token.removeprefix(VERIFICATION_PREFIX)
            raw = urlsafe_b64decode((written + "=" * (-len(written) % 4)).encode("ascii"))
        except (BadBase64, ValueError):
            return None
        said, mac = raw[:24], raw[24:]
        # The decoder overlooks foreign characters and spare bits: only the one way of writing it counts.
        if token != VERIFICATION_PREFIX + unpadded(raw):
            return None
        if not hmac.compare_digest(mac, await self._mac(said)):
            return None
        if now.timestamp() >= int.from_bytes(said[16:]):
            return None
        return AccountId(UUID(bytes=said[:16]))

    @override
    async def mailed(self, purpose: Purpose, account_id: AccountId, mark: bytes, expires_at: datetime) -> str:
        """Return account id, expiry in seconds, mark, and HMAC-SHA-256 over it all, as base64url with check digits."""
        prefix = MAILED_PREFIX.format(purpose)
        said = account_id.bytes + int(expires_at.timestamp()).to_bytes(8) + mark
        body = prefix + unpadded(said + await self._mac(prefix.encode() + said))
        return body + checksum(body)

    @override
    async def read(self, purpose: Purpose, token: str, now: datetime) -> tuple[AccountId, bytes] | None:
        prefix = MAILED_PREFIX.format(purpose)
        written = token.removeprefix(prefix)[:-CHECK_DIGITS]
        try:
            raw = urlsafe_b64decode((written + "=" * (-len(written) % 4)).encode("ascii"))
        except (BadBase64, ValueError):
            return None
        said, mac = raw[:-32], raw[-32:]
        body = prefix + unpadded(raw)
        if len(said) != SAID or token != body + checksum(body):
            return None
        if not hmac.compare_digest(mac, await self._mac(prefix.encode() + said)):
            return None
        if now.timestamp() >= int.from_bytes(said[16:24]):
            return None
        return AccountId(UUID(bytes=said[:16])), said[24:]

    async def _mac(self, said: bytes) -> bytes:
        return hmac.digest(await self._keyring.system("verification"), said, hashlib.sha256)


def unpadded(raw: bytes) -> str:
    """Write base64url without the equals signs that a double click leaves behind (RFC 4648, 5)."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def base62(number: int, digits: int) -> str:
    """Write a number in base 62 with leading zeros."""
    written = []
    for _ in range(digits):
        number, digit = divmod(number, 62)
        written.append(ALPHABET[digit])
    return "".join(reversed(written))


def checksum(text: str) -> str:
    """Return six digits that catch a mistyped or truncated token before any look-up (CRC-32)."""
    return base62(zlib.crc32(text.encode()), CHECK_DIGITS)
