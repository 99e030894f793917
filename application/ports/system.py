"""Time, randomness and slow hashing: the things a pure program cannot make itself."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.kernel import AccountId, ErrorKind, PicoError
from domain.values import Password, PasswordHash, SessionToken


class Overloaded(PicoError):
    """Too many passwords are being checked at once; come back in a moment."""

    kind = ErrorKind.UNAVAILABLE
    code = "overloaded"


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """Return the present instant, in UTC, aware, to the microsecond."""
        ...


class Ids(Protocol):
    """New identities."""

    def new(self) -> UUID:
        """Return a UUIDv7 (RFC 9562, 5.7) of the clock's present: later ones sort after earlier ones."""
        ...

    def random_id(self) -> UUID:
        """Return a UUIDv4: it says nothing about when or for whom it was made."""
        ...

    def random_bytes(self) -> bytes:
        """Return 32 random bytes."""
        ...


class PasswordHasher(Protocol):
    """Argon2id (OWASP minimum or above), off the event loop, bounded. Both methods raise Overloaded."""

    async def hash(self, password: Password) -> PasswordHash:
        """Return a PHC string."""
        ...

    async def verify(self, password: Password, phc: PasswordHash | None) -> bool:
        """Tell whether they match. With no hash it takes just as long and says no: absence must not show in time."""
        ...

    def outdated(self, phc: PasswordHash) -> bool:
        """Tell whether the hash was made with weaker parameters than today's."""
        ...


class Tokens(Protocol):
    """Tokens that prove something."""

    def session(self) -> SessionToken:
        """Return a new bearer token: `pico_s1_`, 256 random bits, check digits."""
        ...

    def well_formed(self, token: str) -> bool:
        """Tell whether the check digits fit: what does not is refused without a look-up."""
        ...

    async def verification(self, account_id: AccountId, expires_at: datetime) -> str:
        """Return a signed token that names the account; nothing about it is stored."""
        ...

    async def verified(self, token: str, now: datetime) -> AccountId | None:
        """Return the account a verification token names, or None when forged, mangled or expired."""
        ...


class Fingerprint(Protocol):
    """Turns an account's id into what the erasure ledger may know it by."""

    async def __call__(self, account_id: AccountId) -> bytes:
        """Return 32 bytes: HMAC-SHA-256 of the id under a system key. Repeating is harmless."""
        ...
