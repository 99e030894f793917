"""Use cases of the right of access: ask for everything, watch it grow, take it away once."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from application.inventory import INVENTORY, Stored
from application.ports.store import Store
from application.ports.system import Clock, Ids, PasswordHasher
from application.sessions import WrongCredentials
from application.unit_of_work import retry_on_version_conflict
from domain.exports import Export, ExportPart, ExportState
from domain.kernel import AccountId, ExportId, PartId
from domain.retention import Retention
from domain.values import Password

ROWS = 500
"""Records per part: memory stays flat however much there is."""

EXPORTED = tuple(stored for stored in INVENTORY if stored.exported)


@dataclass(frozen=True, slots=True)
class StartExport:
    """Ask for everything. While one export is being built, asking again answers the same one."""

    store: Store
    clock: Clock
    ids: Ids
    retention: Retention

    @retry_on_version_conflict
    async def __call__(self, account_id: AccountId) -> Export:
        """Return the export under way. Repeating is harmless."""
        now = self.clock.now()
        async with self.store.begin(account_id) as tx:
            for export in await tx.exports():
                if export.state is ExportState.BUILDING:
                    return export
            rows = await tx.count_records()
            total = sum(rows[stored.name] for stored in EXPORTED)
            export = Export.request(
                account_id, ExportId(self.ids.new()), total, now, now + self.retention.export
            )
            tx.save(export)
            return export


@dataclass(frozen=True, slots=True)
class ReadExport:
    """Watch an export's progress."""

    store: Store

    async def __call__(self, account_id: AccountId, export_id: ExportId) -> Export:
        """Return it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.export(export_id)


@dataclass(frozen=True, slots=True)
class BuildExport:
    """Write every record of the inventory, opened, into sealed parts."""

    store: Store
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(self, account_id: AccountId, export_id: ExportId, lease: int) -> None:
        """Do it. Repeating starts afresh."""
        if not await self.begin(account_id, export_id):
            return
        position = 0
        async for text, rows in self.document(account_id):
            await self.append(account_id, export_id, position, text, rows)
            position += 1
        await self.finish(account_id, export_id, lease)

    async def document(self, account_id: AccountId) -> AsyncIterator[tuple[str, int]]:
        """Yield slices of the JSON text, each with the number of records in it."""
        head = {
            "format": "pico-export-1",
            "account_id": str(account_id),
            "exported_at": plain(self.clock.now()),
        }
        yield json.dumps(head)[:-1] + ', "records": {', 0
        for number, stored in enumerate(EXPORTED):
            yield f"{', ' if number else ''}{json.dumps(stored.name)}: [", 0
            after, separator = None, ""
            while rows := await self.page(account_id, stored, after):
                lines = [
                    json.dumps({name: plain(row[name]) for name in stored.exported}, ensure_ascii=False)
                    for row in rows
                ]
                yield separator + ",\n".join(lines), len(rows)
                after, separator = rows[-1]["id"], ",\n"
            yield "]", 0
        yield "}}\n", 0

    async def page(self, account_id: AccountId, stored: Stored, after: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any id
        """Read the next records."""
        async with self.store.begin(account_id) as tx:
            return await tx.export_page(stored, after, ROWS)

    @retry_on_version_conflict
    async def begin(self, account_id: AccountId, export_id: ExportId) -> bool:
        """Clear what an interrupted attempt left; tell whether there is anything to build."""
        async with self.store.begin(account_id) as tx:
            export = await tx.export(export_id)
            if export.state is not ExportState.BUILDING:
                return False
            export.restart()
            tx.remove_parts(export_id)
            tx.save(export)
        return True

    @retry_on_version_conflict
    async def append(
        self, account_id: AccountId, export_id: ExportId, position: int, text: str, rows: int
    ) -> None:
        """Commit one part together with the progress it means."""
        async with self.store.begin(account_id) as tx:
            export = await tx.export(export_id)
            export.progress(rows)
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

    @retry_on_version_conflict
    async def finish(self, account_id: AccountId, export_id: ExportId, lease: int) -> None:
        """Commit that it is ready."""
        now = self.clock.now()
        async with self.store.begin(account_id, completing=lease) as tx:
            export = await tx.export(export_id)
            export.ready(now, now + self.retention.export)
            tx.save(export)


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever a record holds
    """Write one value as JSON would: instants as RFC 3339, ids and other text as strings."""
    if value is None or isinstance(value, bool | int | list):
        return value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


@dataclass(frozen=True, slots=True)
class DownloadExport:
    """Hand an export over: once, to someone who knows the password."""

    store: Store
    hasher: PasswordHasher
    clock: Clock

    async def __call__(
        self, account_id: AccountId, export_id: ExportId, password: Password
    ) -> AsyncGenerator[bytes, None]:
        """Return the JSON text in slices. Raises NotFound, WrongCredentials, ExportNotReady (also when repeated)."""
        async with self.store.begin(account_id) as tx:
            account = await tx.account()
            await tx.export(export_id)
        if not await self.hasher.verify(password, account.password):
            raise WrongCredentials
        await self.take(account_id, export_id)
        return self.slices(account_id, export_id)

    @retry_on_version_conflict
    async def take(self, account_id: AccountId, export_id: ExportId) -> None:
        """Commit that it is being taken: whoever comes second gets nothing."""
        async with self.store.begin(account_id) as tx:
            export = await tx.export(export_id)
            export.download(self.clock.now())
            tx.save(export)

    async def slices(self, account_id: AccountId, export_id: ExportId) -> AsyncGenerator[bytes, None]:
        """Yield the parts in order, then drop them, also when the reader goes away half-way."""
        position = 0
        try:
            while True:
                async with self.store.begin(account_id) as tx:
                    part = await tx.part(export_id, position)
                if part is None:
                    break
                yield part.content
                position += 1
        finally:
            async with self.store.begin(account_id) as tx:
                tx.remove_parts(export_id)


@dataclass(frozen=True, slots=True)
class ExpireExport:
    """Drop an export that nobody fetched in time."""

    store: Store

    @retry_on_version_conflict
    async def __call__(self, account_id: AccountId, export_id: ExportId) -> None:
        """Do it. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            export = await tx.export(export_id)
            export.expire()
            tx.save(export)
            tx.remove_parts(export_id)
