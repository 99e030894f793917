"""Time, ids, passwords and tokens, from this machine."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import secrets
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from application.ports.keyring import Keyring
from application.ports.system import Clock, Overloaded
from domain.kernel import AccountId
from domain.values import Password, PasswordHash, SessionToken

SESSION_PREFIX, VERIFICATION_PREFIX = "pico_s1_", "pico_v1_"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TOKEN_DIGITS, CHECK_DIGITS = 43, 6
"""Base-62 digits that hold 256 bits, and 32."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC)


class ShiftedClock:
    """The machine's clock, moved forward by hand: the Sandbox's."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        """Start `offset` ahead of the machine."""
        self.offset = offset

    def now(self) -> datetime:
        """See `Clock.now`."""
        return datetime.now(UTC) + self.offset


class TimeOrderedIds:
    """UUIDv7 by RFC 9562, 6.2 method 1: milliseconds, a 12-bit counter within them, 62 random bits."""

    def __init__(self, clock: Clock) -> None:
        """Count within the milliseconds of `clock`."""
        self._clock = clock
        self._last = 0

    def new(self) -> UUID:
        """See `Ids.new`. Never falls, even when the clock does."""
        stamp = int(self._clock.now().timestamp() * 1000) << 12
        self._last = stamp = max(stamp, self._last + 1)
        milliseconds, counter = stamp >> 12, stamp & 0xFFF
        tail = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
        return UUID(int=milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | tail)

    def random_id(self) -> UUID:
        """See `Ids.random_id`."""
        return uuid4()

    def random_bytes(self) -> bytes:
        """See `Ids.random_bytes`."""
        return os.urandom(32)


class Argon2Hasher:
    """Argon2id at OWASP's recommended minimum (19 MiB, 2 passes, 1 lane), in two threads with a bounded queue."""

    def __init__(
        self, *, memory_kib: int = 19_456, passes: int = 2, threads: int = 2, waiting: int = 32
    ) -> None:
        """Hash with the given cost; at most `threads` + `waiting` requests are taken in at a time."""
        self._argon = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._room = threads + waiting
        self._decoy = self._argon.hash(secrets.token_hex(16))

    async def hash(self, password: Password) -> PasswordHash:
        """See `Hasher.hash`."""
        return PasswordHash(await self._run(self._argon.hash, str(password)))

    async def verify(self, password: Password, phc: PasswordHash | None) -> bool:
        """See `Hasher.verify`."""
        matched = await self._run(self._matches, str(phc or self._decoy), str(password))
        return bool(matched) and phc is not None

    def outdated(self, phc: PasswordHash) -> bool:
        """See `Hasher.outdated`."""
        return self._argon.check_needs_rehash(phc)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _matches(self, phc: str, password: str) -> bool:
        try:
            return self._argon.verify(phc, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work, *args: str):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - str or bool, by work
        if self._room <= 0:
            raise Overloaded
        self._room -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        finally:
            self._room += 1


class SignedTokens:
    """Bearer tokens with check digits, and verification tokens signed under a system key."""

    def __init__(self, keyring: Keyring) -> None:
        """Sign under the keyring's "verification" key."""
        self._keyring = keyring

    def session(self) -> SessionToken:
        """See `Tokens.session`."""
        body = SESSION_PREFIX + base62(int.from_bytes(secrets.token_bytes(32)), TOKEN_DIGITS)
        return SessionToken(body + checksum(body))

    def well_formed(self, token: str) -> bool:
        """See `Tokens.well_formed`."""
        body, check = token[:-CHECK_DIGITS], token[-CHECK_DIGITS:]
        return (
            len(body) == len(SESSION_PREFIX) + TOKEN_DIGITS
            and body.startswith(SESSION_PREFIX)
            and body.isascii()
            and checksum(body) == check
        )

    async def verification(self, account_id: AccountId, expires_at: datetime) -> str:
        """See `Tokens.verification`: account id, expiry in seconds, HMAC-SHA-256 over both."""
        said = account_id.bytes + int(expires_at.timestamp()).to_bytes(8)
        return VERIFICATION_PREFIX + unpadded(said + await self._mac(said))

    async def verified(self, token: str, now: datetime) -> AccountId | None:
        """See `Tokens.verified`."""
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
