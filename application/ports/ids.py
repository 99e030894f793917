"""New identities and random bytes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def made_at(identity: UUID) -> datetime:
    """Return when an id was made, to the millisecond, by what it says itself (UUIDv7: RFC 9562, 5.7)."""
    return EPOCH + (identity.int >> 80) * MILLISECOND


def end_of(listed: Iterable[UUID]) -> datetime | None:
    """Return after what an id must be made to sort after all of these, whatever the clock said since; None: of none."""
    return max((made_at(each) + MILLISECOND for each in listed), default=None)


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
