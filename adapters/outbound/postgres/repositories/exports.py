"""Exports on PostgreSQL, and the records they are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import CODECS, codec
from adapters.outbound.postgres.json_rows import JsonRows
from adapters.outbound.postgres.reading import ACCOUNT, AGGREGATES, LAST_ID, Read, Reader, owned, whole
from adapters.outbound.postgres.statements import compiled, count_of
from application.inventory import INVENTORY, Stored
from application.ports.repositories.exports import UNREADABLE, Exports, Records, Written
from domain.exports import Export, ExportPart
from domain.kernel import ExportId

_C, _PART = (codec(of).table.c for of in (Export, ExportPart))
_GET = Read.by(Export, whole(Export, _C.id == sa.bindparam("id")), "id")
_ALL = Read.by(Export, whole(Export).order_by(_C.id.desc()))
_LIMIT = sa.bindparam("limit", type_=sa.Integer())
_PAGE = Read.by(
    Export,
    whole(Export, _C.id < sa.bindparam("before")).order_by(_C.id.desc()).limit(_LIMIT),
    "before",
    "limit",
)
_GET_PART = Read.by(
    ExportPart,
    whole(ExportPart, _PART.export_id == sa.bindparam("export_id"), _PART.position == sa.bindparam("position")),
    "export_id", "position",
)  # fmt: skip
_COUNTS = compiled(
    sa.select(
        *(count_of(sa.select(CODECS[each.of].table.c.id).where(owned(each.of)).subquery()) for each in INVENTORY)
    ),
    ACCOUNT,
)  # fmt: skip
_FIRST = UUID(int=0)
"""Comes before every id."""


@cache  # of every table, with the first export: most processes make none
def _after(stored: Stored) -> str:
    column = CODECS[stored.of].table.c.id
    page = whole(stored.of, column > sa.bindparam("after")).order_by(column).limit(_LIMIT)
    return compiled(page, ACCOUNT, "after", "limit")


@cache
def _written(stored: Stored) -> JsonRows:
    return JsonRows(stored)


@dataclass(frozen=True, slots=True)
class PostgresExports(Exports):
    """`Exports` of one unit of work. `emptied` collects the exports whose parts its commit deletes."""

    reader: Reader
    emptied: list[ExportId]

    @override
    async def get(self, export_id: ExportId) -> Export:
        return await self.reader.one(_GET, export_id)

    @override
    async def get_even_broken(self, export_id: ExportId) -> Export:
        return await self.reader.one(_GET, export_id, even_broken=True)

    @override
    async def list_all(self) -> list[Export]:
        return await self.reader.all(_ALL, even_broken=True)

    @override
    async def page(self, before: ExportId | None, limit: int) -> list[Export]:
        return await self.reader.all(_PAGE, before or LAST_ID, limit)

    @override
    async def part(self, export_id: ExportId, position: int) -> ExportPart | None:
        return await self.reader.maybe(_GET_PART, export_id, position)

    @override
    def remove_parts(self, export_id: ExportId) -> None:
        self.emptied.append(export_id)


@dataclass(frozen=True, slots=True)
class PostgresRecords(Records):
    """`Records` of one unit of work."""

    reader: Reader

    @override
    async def page(self, of: Stored, after: UUID | None, limit: int) -> list[dict[str, Any]]:
        reader = self.reader
        rows = await reader.database.fetch(_after(of), reader.account_id, after or _FIRST, limit)
        plain = AGGREGATES[of.of].plain(reader.keys.cipher, reader.report_broken)
        opened = (plain(row) for row in rows)
        return [{**row, UNREADABLE: sorted(missing)} if missing else row for row, missing in opened]

    @override
    async def written(self, of: Stored, after: UUID | None, limit: int) -> Written:
        reader, json_rows = self.reader, _written(of)
        rows = await reader.database.fetch(json_rows.statement, reader.account_id, after or _FIRST, limit)
        write = json_rows.writer(reader.keys.cipher, reader.report_broken)
        written = [write(row) for row in rows]
        return Written(
            ",\n".join([text for text, _, _ in written]),
            len(written),
            written[-1][1] if written else None,
            [row_id for _, row_id, broken in written if broken],
        )

    @override
    async def count(self) -> dict[str, int]:
        counts = await self.reader.database.first(_COUNTS, self.reader.account_id)
        return dict(zip((each.name for each in INVENTORY), counts, strict=True))
