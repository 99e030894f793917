"""Exports in memory, and the records they are made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, newest_first
from application.inventory import INVENTORY, Stored
from application.ports.repositories.exports import Exports, Records, Written
from domain.classification import StorageKind
from domain.exports import Export, ExportPart
from domain.kernel import ExportId


@dataclass(frozen=True, slots=True)
class MemoryExports(Exports):
    """`Exports` over one account's rows. `emptied` are the exports whose parts the commit is to delete."""

    loaded: Loaded
    emptied: list[ExportId]

    @override
    async def get(self, export_id: ExportId) -> Export:
        return await self.loaded.one(Export, export_id)

    @override
    async def get_even_broken(self, export_id: ExportId) -> Export:
        return await self.get(export_id)

    @override
    async def list_all(self) -> list[Export]:
        return newest_first(await self.loaded.all(Export))

    @override
    async def page(self, before: ExportId | None, limit: int) -> list[Export]:
        return [export for export in await self.list_all() if before is None or export.id < before][:limit]

    @override
    async def part(self, export_id: ExportId, position: int) -> ExportPart | None:
        return await self.loaded.maybe(
            ExportPart, lambda part: (part.export_id, part.position) == (export_id, position)
        )

    @override
    def remove_parts(self, export_id: ExportId) -> None:
        self.emptied.append(export_id)


@dataclass(frozen=True, slots=True)
class MemoryRecords(Records):
    """`Records` over one account's rows."""

    loaded: Loaded

    @override
    async def page(self, of: Stored, after: UUID | None, limit: int) -> list[dict[str, Any]]:
        await self.loaded.answer()
        ordered = sorted(self.loaded.rows[of.of].items())
        page = [row for row_id, row in ordered if after is None or row_id > after][:limit]
        readable = [column.name for column in of.columns if column.policy.kind is not StorageKind.INDEX]
        return [{name: _plain(getattr(row, name)) for name in readable} for row in page]

    @override
    async def written(self, of: Stored, after: UUID | None, limit: int) -> Written:
        rows = await self.page(of, after, limit)
        shown = [{name: row[name] for name in of.exported} for row in rows]
        text = ",\n".join(json.dumps(row, ensure_ascii=False, default=_as_text) for row in shown)
        return Written(text, len(rows), rows[-1]["id"] if rows else None, [])

    @override
    async def count(self) -> dict[str, int]:
        await self.loaded.answer()
        return {stored.name: len(self.loaded.rows[stored.of]) for stored in INVENTORY}


def _plain(value: object) -> object:
    """Return what a database would: a set comes back as a list."""
    return sorted(value) if isinstance(value, frozenset) else value


def _as_text(value: object) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
