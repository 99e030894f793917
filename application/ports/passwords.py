"""Slow hashing of passwords."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
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


class Hashing(Protocol):
    """What can be done while it is one's turn."""

    async def hash(self, password: Password) -> PasswordHash:
        """Return a PHC string. Repeating gives another one: each has a salt of its own."""
        ...

    async def verify(self, password: Password, phc: PasswordHash | None) -> bool:
        """Tell whether they match.

        With no hash it takes just as long and returns False: absence must not show in time.
        """
        ...


class PasswordHasher(Protocol):
    """Argon2id (OWASP minimum or above), off the event loop, in bounded memory."""

    def turn(self, of: str) -> AbstractAsyncContextManager[Hashing]:
        """Wait for a turn, and hold it for the block. Raises Overloaded, also after having waited.

        Places to wait in are shared evenly by who is `ASKING`, and by the account that a password is `of`: its id, or
        the address that somebody says is its. Whether there is such an account must make no difference. Whatever has
        to be looked up is looked up within the block: those who are turned away must not have cost anybody anything.
        """
        ...

    def outdated(self, phc: PasswordHash) -> bool:
        """Tell whether the hash was made with weaker parameters than today's."""
        ...
