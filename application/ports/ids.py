"""New identities and random bytes."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Ids(Protocol):
    """Makes identities. No two calls return the same."""

    def new(self, after: datetime | None = None) -> UUID:
        """Return a UUIDv7 (RFC 9562, 5.7) of the clock's present: later ones sort after earlier ones.

        It also sorts after those that were made up to `after`, by another process or before the clock was set back.
        """
        ...

    def random_id(self) -> UUID:
        """Return a UUIDv4: it says nothing about when or for whom it was made."""
        ...

    def random_bytes(self) -> bytes:
        """Return 32 random bytes."""
        ...
