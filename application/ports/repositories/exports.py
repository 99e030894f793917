"""Reading exports, and the records they are made of."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol
from uuid import UUID

from application.inventory import Stored
from domain.exports import Export, ExportPart
from domain.kernel import ExportId

UNREADABLE = "unreadable"


class Exports(Protocol):
    """The account's exports and their parts."""

    async def get(self, export_id: ExportId) -> Export:
        """Return one export. Raises NotFound."""
        ...

    async def get_even_broken(self, export_id: ExportId) -> Export:
        """Return one export, broken or not. Raises NotFound."""
        ...

    async def list_all(self) -> list[Export]:
        """Return all exports, broken ones too, newest first."""
        ...

    async def page(self, before: ExportId | None, limit: int) -> list[Export]:
        """Return up to `limit` exports, newest first; those before `before`, if that is given."""
        ...

    async def part(self, export_id: ExportId, position: int) -> ExportPart | None:
        """Return one part of an export, or None past the end."""
        ...

    def remove_parts(self, export_id: ExportId) -> None:
        """Have the commit delete all parts of an export. Repeating is harmless."""
        ...


class Written(NamedTuple):
    """A page of records as JSON objects of their exported columns, with commas between them."""

    text: str
    rows: int
    last: UUID | None
    """The id of the last one, None when there are none."""
    broken: list[UUID]
    """Those of which something does not open: it is null."""


class Records(Protocol):
    """Every record the inventory knows, as plain values."""

    async def page(self, of: Stored, after: UUID | None, limit: int) -> list[dict[str, Any]]:
        """Return up to `limit` records in order of id, opened: plain values by column name, sets as sorted lists.

        Blind indexes cannot be read and are left out. What does not open is None; which columns that are stands in the
        row as a list under UNREADABLE, which only broken rows have.
        """
        ...

    async def written(self, of: Stored, after: UUID | None, limit: int) -> Written:
        """Return what `page` returns as JSON: the columns for the export, instants as in RFC 3339, ids as strings."""
        ...

    async def count(self) -> dict[str, int]:
        """Return how many rows of each record the account has, by name, as the inventory lists them."""
        ...
