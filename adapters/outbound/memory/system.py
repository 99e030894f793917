"""Time, ids, passwords and tokens that do the same thing every time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

from typing_extensions import override

from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.passwords import Hashing, Overloaded, PasswordHasher
from application.ports.tokens import Purpose, Tokens
from domain.kernel import AccountId
from domain.values import Password, PasswordHash, SessionToken

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class HandClock(Clock):
    """A `Clock` that stands still until it is moved."""

    def __init__(self, start: datetime = START) -> None:
        """Stand at `start`, an aware instant."""
        self._now = start
        self._watchers: list[Callable[[], None]] = []

    @override
    def now(self) -> datetime:
        return self._now

    @override
    async def agreed(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move forward, and let those who wait for time to pass know. Raises ValueError when `by` is negative."""
        if by < timedelta():
            raise ValueError("Time does not go back.")
        self._now += by
        for moved in self._watchers:
            moved()

    def watch(self, moved: Callable[[], None]) -> None:
        """Call `moved` after every advance."""
        self._watchers.append(moved)


class CountingIds(Ids):
    """`Ids` that come in the same order in every run: UUIDv7 by the clock, told apart by a counter."""

    def __init__(self, clock: Clock) -> None:
        """Count within the milliseconds of `clock`."""
        self._clock = clock
        self._count = 0

    @override
    def new(self, after: datetime | None = None) -> UUID:
        present = self._clock.now()
        earliest = present if after is None or after <= present else after + timedelta(milliseconds=1)
        milliseconds = int(earliest.timestamp() * 1000)
        return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | self._next())

    @override
    def random_id(self) -> UUID:
        return UUID(bytes=self.random_bytes()[:16], version=4)

    @override
    def random_bytes(self) -> bytes:
        """Return 32 bytes that are not random: a secret made here is no secret."""
        return hashlib.sha256(self._next().to_bytes(8)).digest()

    def _next(self) -> int:
        self._count += 1
        return self._count


class FakeHasher(PasswordHasher, Hashing):
    """A `PasswordHasher` without Argon2: quick, and no protection whatever.

    Raise `strength` and older hashes are outdated. Set `overloaded` to have nobody get a turn.
    """

    def __init__(self) -> None:
        self.strength = 1
        self.overloaded = False

    @override
    @asynccontextmanager
    async def turn(self, of: str) -> AsyncIterator[Hashing]:
        if self.overloaded:
            raise Overloaded
        yield self

    @override
    async def hash(self, password: Password) -> PasswordHash:
        return PasswordHash(f"$fake$s={self.strength}${hashlib.sha256(password.encode()).hexdigest()}")

    @override
    async def verify(self, password: Password, phc: PasswordHash | None) -> bool:
        return phc is not None and phc.rpartition("$")[2] == hashlib.sha256(password.encode()).hexdigest()

    @override
    def outdated(self, phc: PasswordHash) -> bool:
        return not phc.startswith(f"$fake$s={self.strength}$")


class FakeTokens(Tokens):
    """`Tokens` from a counter, checked and signed under a key that everybody knows."""

    PREFIX = "pico_s1_"
    CHECK = 8

    def __init__(self) -> None:
        self._count = 0

    @override
    def session(self) -> SessionToken:
        self._count += 1
        body = self.PREFIX + hashlib.sha256(b"session %d" % self._count).hexdigest()
        return SessionToken(body + self._mac(body)[: self.CHECK])

    @override
    def well_formed(self, token: str) -> bool:
        body, check = token[: -self.CHECK], token[-self.CHECK :]
        return body.startswith(self.PREFIX) and token.isascii() and check == self._mac(body)[: self.CHECK]

    @override
    async def verification(self, account_id: AccountId, expires_at: datetime) -> str:
        said = f"{account_id}_{expires_at.isoformat()}"
        return f"{said}_{self._mac(said)}"

    @override
    async def verified(self, token: str, now: datetime) -> AccountId | None:
        said, _, mac = token.rpartition("_")
        if not token.isascii() or not hmac.compare_digest(mac, self._mac(said)):
            return None
        account_id, _, expires_at = said.partition("_")
        return AccountId(UUID(account_id)) if now < datetime.fromisoformat(expires_at) else None

    @override
    async def mailed(self, purpose: Purpose, account_id: AccountId, mark: bytes, expires_at: datetime) -> str:
        said = f"{purpose}_{account_id}_{mark.hex()}_{expires_at.isoformat()}"
        return f"{said}_{self._mac(said)}"

    @override
    async def read(self, purpose: Purpose, token: str, now: datetime) -> tuple[AccountId, bytes] | None:
        said, _, mac = token.rpartition("_")
        if not token.isascii() or not hmac.compare_digest(mac, self._mac(said)) or said[:1] != purpose:
            return None
        _, account_id, mark, expires_at = said.split("_")
        if now >= datetime.fromisoformat(expires_at):
            return None
        return AccountId(UUID(account_id)), bytes.fromhex(mark)

    def _mac(self, text: str) -> str:
        return hmac.new(b"no secret", text.encode(), hashlib.sha256).hexdigest()
