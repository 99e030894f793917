"""Use cases of the right of access: ask for everything, watch it grow, download it once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.export_building import EXPORTED, BuildExport
from application.job_type import NOW, JobType
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.ids import Ids
from application.ports.store import Store, Tx
from application.purge import Purge, PurgeResult, purge_each
from application.sessions import VerifyPassword
from domain.exports import Export, ExportRequested
from domain.kernel import AccountId, ExportId
from domain.retention import Retention
from domain.values import Password


@dataclass(frozen=True, slots=True)
class StartExport:
    """Asks for everything. An account has one export at a time: one under way is answered, a ready one is replaced."""

    store: Store
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(self, account_id: AccountId) -> Export:
        """Return the export under way. Repeating is harmless."""

        async def change(tx: Tx) -> Export:
            for export in await tx.exports.list_all():
                if export.is_building:
                    return export
                if export.is_ready:
                    export.expire()
                    tx.save(export)
                    tx.exports.remove_parts(export.id)
            rows, now = await tx.records.count(), self.clock.now()
            total = sum(rows[stored.name] for stored in EXPORTED)
            expires_at = self.retention.export.ends(now)
            export = Export.request(account_id, ExportId(self.ids.new()), total, now, expires_at)
            tx.save(export)
            return export

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ReadExport:
    """Shows an export's progress."""

    store: Store

    async def __call__(self, account_id: AccountId, export_id: ExportId) -> Export:
        """Return the export. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.exports.get(export_id)


@dataclass(frozen=True, slots=True)
class DownloadExport:
    """Hands an export over: once, to someone who knows the password."""

    store: Store
    verify_password: VerifyPassword
    clock: Clock

    async def __call__(
        self, account_id: AccountId, export_id: ExportId, password: Password
    ) -> AsyncGenerator[bytes, None]:
        """Return the JSON text in slices. Raises NotFound, WrongCredentials, ExportNotReady (also when repeated)."""
        await self.look(account_id, export_id, password)
        await self._claim(account_id, export_id)
        return self._slices(account_id, export_id)

    async def look(self, account_id: AccountId, export_id: ExportId, password: Password) -> None:
        """Raise what asking for it would, and hand nothing over. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            export = await tx.exports.get(export_id)
        await self.verify_password.of_caller(account_id, password)
        export.must_be_ready(self.clock.now())

    async def _claim(self, account_id: AccountId, export_id: ExportId) -> None:
        """Commit that it is being downloaded: whoever comes second gets nothing."""

        async def change(tx: Tx) -> None:
            export = await tx.exports.get(export_id)
            export.download(self.clock.now())
            tx.save(export)

        await self.store.update(account_id, change)

    async def _slices(self, account_id: AccountId, export_id: ExportId) -> AsyncGenerator[bytes, None]:
        """Yield the parts in order, then delete them, also when the reader goes away half-way."""
        position = 0
        try:
            while True:
                async with self.store.begin(account_id) as tx:
                    part = await tx.exports.part(export_id, position)
                if part is None:
                    break
                yield part.content
                position += 1
        finally:

            async def change(tx: Tx) -> None:
                tx.exports.remove_parts(export_id)

            await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ExpireExports(Purge):
    """Deletes exports that nobody downloaded in time (clause H15)."""

    name: ClassVar[str] = "exports"

    store: Store
    directory: Directory

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Expire up to `limit` whose time is over by `now`. Repeating is harmless."""
        return await purge_each(await self.directory.exports_to_expire(now, limit), self._expire)

    async def _expire(self, late: tuple[AccountId, ExportId]) -> bool:
        account_id, export_id = late

        async def change(tx: Tx) -> None:
            export = await tx.exports.get(export_id)
            export.expire()
            tx.save(export)
            tx.exports.remove_parts(export_id)

        await self.store.update(account_id, change)
        return True


JOBS = (JobType("build_export", BuildExport, after={ExportRequested: NOW}),)
