"""The use case that builds an export: every record of the inventory, opened, in sealed parts."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from application.inventory import INVENTORY, Stored
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.jobs import JobLease
from application.ports.repositories.exports import UNREADABLE, Records
from application.ports.store import Store, Tx
from domain.exports import ExportPart
from domain.kernel import AccountId, ExportId, PartId
from domain.retention import Retention

ROWS = 500
"""Records per part: memory stays flat however much there is."""

EXPORTED = tuple(stored for stored in INVENTORY if stored.exported)


@dataclass(frozen=True, slots=True)
class BuildExport:
    """Writes every record of the inventory, opened, into sealed parts."""

    store: Store
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(self, account_id: AccountId, export_id: ExportId, lease: JobLease) -> None:
        """Build the export, if it is still wanted. Repeating starts afresh."""
        if not await self._restart(account_id, export_id):
            return
        position = 0
        async with aclosing(self.document(account_id)) as document:  # a failure here ends its snapshot
            async for text, rows, unreadable in document:
                await self._append(account_id, export_id, position, text, rows, unreadable)
                position += 1
        await self._finish(account_id, export_id, lease)

    async def document(self, account_id: AccountId) -> AsyncGenerator[tuple[str, int, int], None]:
        """Yield slices of the JSON text, each with the number of records in it, and how many of these are broken.

        All is as it is at one moment. What does not open is null; broken records are named again at the end, where the
        text says that it is partial.
        """
        broken: list[dict[str, str]] = []
        async with self.store.snapshot(account_id) as records:
            head = {
                "format": "pico-export-1",
                "account_id": str(account_id),
                "exported_at": plain(self.clock.now()),
            }
            yield json.dumps(head)[:-1] + ', "records": {', 0, 0
            for number, stored in enumerate(EXPORTED):
                yield f"{', ' if number else ''}{json.dumps(stored.name)}: [", 0, 0
                after, separator = None, ""
                while rows := await self._page(records, stored, after):
                    lines = [
                        json.dumps({name: plain(row[name]) for name in stored.exported}, ensure_ascii=False)
                        for row in rows
                    ]
                    withheld = [
                        {"table": stored.name, "id": str(row["id"])} for row in rows if UNREADABLE in row
                    ]
                    broken += withheld
                    yield separator + ",\n".join(lines), len(rows), len(withheld)
                    after, separator = rows[-1]["id"], ",\n"
                yield "]", 0, 0
        tail = {"partial": bool(broken), "unreadable": broken}
        yield "}, " + json.dumps(tail)[1:] + "\n", 0, 0

    async def _page(self, records: Records, stored: Stored, after: UUID | None) -> list[dict[str, Any]]:
        return await records.page(stored, after, ROWS)

    async def _restart(self, account_id: AccountId, export_id: ExportId) -> bool:
        """Delete what an interrupted attempt left; tell whether the export is still wanted."""

        async def change(tx: Tx) -> bool:
            export = await tx.exports.get(export_id)
            if not export.is_building:
                return False
            export.restart()
            tx.exports.remove_parts(export_id)
            tx.save(export)
            return True

        return await self.store.update(account_id, change)

    async def _append(
        self, account_id: AccountId, export_id: ExportId, position: int, text: str, rows: int, unreadable: int
    ) -> None:
        """Commit one part together with the progress it means."""

        async def change(tx: Tx) -> None:
            export = await tx.exports.get(export_id)
            export.progress(rows, unreadable)
            tx.save(export)
            tx.save(
                ExportPart(
                    account_id=account_id,
                    id=PartId(self.ids.new()),
                    export_id=export_id,
                    position=position,
                    content=text.encode(),
                )
            )

        await self.store.update(account_id, change)

    async def _finish(self, account_id: AccountId, export_id: ExportId, lease: JobLease) -> None:
        """Commit that it is ready."""

        async def change(tx: Tx) -> None:
            now = self.clock.now()
            export = await tx.exports.get(export_id)
            export.ready(now, self.retention.export.ends(now))
            tx.save(export)

        await self.store.update(account_id, change, completing=lease)


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a record holds
    """Write one value as JSON would: instants as RFC 3339, ids and other text as strings."""
    if value is None or isinstance(value, bool | int | list):
        return value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
