"""What one account has in memory, and the private copies handed out of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast
from uuid import UUID

from application.inventory import INVENTORY
from domain.classification import StorageKind
from domain.kernel import Aggregate, NotFound

A = TypeVar("A", bound=Aggregate)
Rows = dict[type[Aggregate], dict[UUID, Aggregate]]
"""Every kind of record, by id."""

UNREADABLE = {
    stored.of: [c.name for c in stored.columns if c.policy.kind is StorageKind.INDEX] for stored in INVENTORY
}
"""Fields that can be matched and never read back."""


def copied(aggregate: A, **changed: object) -> A:
    """Return a copy that shares nothing: every field of an aggregate is itself immutable."""
    return replace(aggregate, events=[], **cast("dict[str, Any]", changed))


def identity(aggregate: Aggregate) -> UUID:
    """Return the id, under whichever type."""
    return cast("UUID", cast("Any", aggregate).id)


@dataclass(slots=True)
class Loaded:
    """Reads one account's rows, and remembers what each private copy looked like when it was handed out."""

    rows: Rows
    answer: Callable[[], Awaitable[None]]
    """Awaited by every read, so that others get their turn as they would with a real store."""
    originals: list[tuple[Aggregate, Aggregate]]

    def of(self, kind: type[A]) -> Iterable[A]:
        """Return the stored rows of one kind: to look at, not to hand out."""
        return cast("Iterable[A]", self.rows[kind].values())

    async def all(self, kind: type[A], wanted: Callable[[A], bool] = lambda _: True) -> list[A]:
        """Return private copies of the rows wanted."""
        await self.answer()
        return [self._opened(row) for row in self.of(kind) if wanted(row)]

    async def one(self, kind: type[A], row_id: UUID, wanted: Callable[[A], bool] = lambda _: True) -> A:
        """Return a private copy of one row. Raises NotFound."""
        await self.answer()
        row = cast("A | None", self.rows[kind].get(row_id))
        if row is None or not wanted(row):
            raise NotFound
        return self._opened(row)

    async def maybe(self, kind: type[A], wanted: Callable[[A], bool]) -> A | None:
        """Return a private copy of the first row wanted, or None."""
        found = await self.all(kind, wanted)
        return found[0] if found else None

    def original(self, aggregate: Aggregate) -> Aggregate | None:
        """Return what a private copy looked like when it was read, None for what was not read here."""
        return next((original for read, original in self.originals if read is aggregate), None)

    def _opened(self, row: A) -> A:
        """Return a private copy, without what is only ever held as a blind index."""
        opened = copied(row, **dict.fromkeys(UNREADABLE[type(row)]))
        self.originals.append((opened, copied(opened)))
        return opened


def newest_first(rows: Iterable[A]) -> list[A]:
    """Order by falling id: ids rise with time."""
    return sorted(rows, key=identity, reverse=True)
