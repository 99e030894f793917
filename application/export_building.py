"""The use case that builds an export: every record of the inventory, opened, in sealed parts."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from application.inventory import INVENTORY, Stored
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.jobs import JobLease
from application.ports.repositories.exports import Records, Written
from application.ports.store import Store, Tx, VersionConflict
from domain.exports import Export, ExportPart
from domain.kernel import AccountId, ExportId, PartId
from domain.retention import Retention

ROWS = 500
"""Records read at once: memory stays flat however much there is."""
PART = 1 << 20
"""Characters in a part, before the records of one more page."""

EXPORTED = tuple(stored for stored in INVENTORY if stored.exported)


class Slice(NamedTuple):
    """Some of the JSON text: how many records are in it, and how many of these are broken."""

    text: str
    rows: int = 0
    unreadable: int = 0
    before: int = 0
    """Records in the slices before it."""
    position: int = 0
    is_last: bool = False

    @classmethod
    def of(cls, slices: list[Slice]) -> Slice:
        """Join slices that follow each other."""
        return cls(
            "".join(s.text for s in slices), sum(s.rows for s in slices), sum(s.unreadable for s in slices)
        )


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
        async with aclosing(self._parts(account_id)) as parts:  # a failure here ends their snapshot
            async for part in parts:
                if part.is_last:
                    await self._finish(account_id, export_id, part, lease)
                else:
                    await self._append(account_id, export_id, part)

    async def _parts(self, account_id: AccountId) -> AsyncGenerator[Slice, None]:
        """Yield the document in slices of about PART characters: each costs a commit."""
        held: list[Slice] = []
        before = position = 0
        async with aclosing(self.document(account_id)) as document:
            async for slice_ in document:
                held.append(slice_)
                if sum(len(each.text) for each in held) >= PART:
                    part = Slice.of(held)._replace(before=before, position=position)
                    yield part
                    held, before, position = [], before + part.rows, position + 1
        yield Slice.of(held)._replace(before=before, position=position, is_last=True)

    async def document(self, account_id: AccountId) -> AsyncGenerator[Slice, None]:
        """Yield slices of the JSON text.

        All is as it is at one moment. What does not open is null; broken records are named again at the end, where the
        text says that it is partial.
        """
        broken: list[dict[str, str]] = []
        async with self.store.snapshot(account_id) as records:
            head = {
                "format": "pico-export-1",
                "account_id": str(account_id),
                "exported_at": self.clock.now().isoformat().replace("+00:00", "Z"),
            }
            yield Slice(json.dumps(head)[:-1] + ', "records": {')
            for number, stored in enumerate(EXPORTED):
                yield Slice(f"{', ' if number else ''}{json.dumps(stored.name)}: [")
                after, separator = None, ""
                while (page := await self._page(records, stored, after)).rows:
                    broken += [{"table": stored.name, "id": str(row_id)} for row_id in page.broken]
                    yield Slice(separator + page.text, page.rows, len(page.broken))
                    after, separator = page.last, ",\n"
                yield Slice("]")
        tail = {"partial": bool(broken), "unreadable": broken}
        yield Slice("}, " + json.dumps(tail)[1:] + "\n")

    async def _page(self, records: Records, stored: Stored, after: UUID | None) -> Written:
        return await records.written(stored, after, ROWS)

    async def _restart(self, account_id: AccountId, export_id: ExportId) -> bool:
        """Delete what an interrupted attempt left; tell whether the export is still wanted."""

        async def change(tx: Tx) -> bool:
            export = await tx.exports.get_even_broken(export_id)
            if not export.is_building:
                return False
            if export.rows_done:  # else there are no parts, and nothing to commit
                export.restart()
                tx.exports.remove_parts(export_id)
                tx.save(export)
            return True

        return await self.store.update(account_id, change)

    async def _append(self, account_id: AccountId, export_id: ExportId, part: Slice) -> None:
        """Commit one part together with the progress it means."""

        async def change(tx: Tx) -> None:
            await self._add(tx, export_id, part)

        await self.store.update(account_id, change)

    async def _finish(self, account_id: AccountId, export_id: ExportId, part: Slice, lease: JobLease) -> None:
        """Commit the last part, and that it is ready."""

        async def change(tx: Tx) -> None:
            now = self.clock.now()
            export = await self._add(tx, export_id, part)
            export.ready(now, self.retention.export.ends(now))
            tx.save(export)

        await self.store.update(account_id, change, completing=lease)

    async def _add(self, tx: Tx, export_id: ExportId, part: Slice) -> Export:
        """Save one part. Raises VersionConflict when parts of another attempt have joined those of this one."""
        export = await tx.exports.get(export_id)
        if export.rows_done != part.before:
            raise VersionConflict
        export.progress(part.rows, part.unreadable)
        tx.save(export)
        tx.save(
            ExportPart(
                account_id=export.account_id,
                id=PartId(self.ids.new()),
                export_id=export_id,
                position=part.position,
                content=part.text.encode(),
            )
        )
        return export
