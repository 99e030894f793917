"""Slow hashing of passwords."""

from __future__ import annotations

from typing import Protocol

from domain.kernel import ErrorKind, PicoError
from domain.values import Password, PasswordHash


class Overloaded(PicoError):
    """Too many passwords are being checked at once; asking again in a moment helps."""

    kind = ErrorKind.UNAVAILABLE
    code = "overloaded"


class PasswordHasher(Protocol):
    """Argon2id (OWASP minimum or above), off the event loop, bounded. `hash` and `verify` raise Overloaded."""

    async def hash(self, password: Password) -> PasswordHash:
        """Return a PHC string. Repeating gives another one: each has a salt of its own."""
        ...

    async def verify(self, password: Password, phc: PasswordHash | None) -> bool:
        """Tell whether they match.

        With no hash it takes just as long and returns False: absence must not show in time.
        """
        ...

    def outdated(self, phc: PasswordHash) -> bool:
        """Tell whether the hash was made with weaker parameters than today's."""
        ...
