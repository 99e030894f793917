"""New identities and random bytes."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class Ids(Protocol):
    """Makes identities. No two calls return the same."""

    def new(self) -> UUID:
        """Return a UUIDv7 (RFC 9562, 5.7) of the clock's present: later ones sort after earlier ones."""
        ...

    def random_id(self) -> UUID:
        """Return a UUIDv4: it says nothing about when or for whom it was made."""
        ...

    def random_bytes(self) -> bytes:
        """Return 32 random bytes."""
        ...
