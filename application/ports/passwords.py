"""Slow hashing of passwords."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Protocol

from domain.kernel import ErrorKind, PicoError
from domain.values import Password, PasswordHash

ASKING: ContextVar[str] = ContextVar("ASKING", default="")
"""Who is asking, as far as one can tell: a name that means nothing, forgotten with the request. Empty for who knows."""


class Overloaded(PicoError):
    """Too many passwords are being checked at once; asking again in a moment helps."""

    kind = ErrorKind.UNAVAILABLE
    code = "overloaded"


class PasswordHasher(Protocol):
    """Argon2id (OWASP minimum or above), off the event loop, bounded. `hash` and `verify` raise Overloaded.

    Places to wait in are shared evenly by who is `ASKING`, and by the account that a password is `of`: its id, or the
    address that somebody says is its. Whether there is such an account must make no difference.
    """

    async def hash(self, password: Password, of: str = "") -> PasswordHash:
        """Return a PHC string. Repeating gives another one: each has a salt of its own."""
        ...

    async def verify(self, password: Password, phc: PasswordHash | None, of: str = "") -> bool:
        """Tell whether they match.

        With no hash it takes just as long and returns False: absence must not show in time.
        """
        ...

    def outdated(self, phc: PasswordHash) -> bool:
        """Tell whether the hash was made with weaker parameters than today's."""
        ...
