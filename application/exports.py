"""Use cases of the right of access: ask for everything, watch it grow, download it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.credentials import VerifyPassword
from application.export_building import EXPORTED, BuildExport
from application.job_type import NOW, JobType, Provider
from application.paging import MOST, Page
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.ids import Ids, end_of
from application.ports.store import Store, Tx
from application.purge import Purge, PurgeResult, purge_each
from domain.exports import Export, ExportNotReady, ExportRequested
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
            exports = await tx.exports.list_all()
            for export in exports:
                if export.is_building:
                    return export
                if export.is_ready or export.altered:
                    export.expire()
                    tx.save(export)
                    tx.exports.remove_parts(export.id)
            rows, now = await tx.records.count(), self.clock.now()
            total = sum(rows[stored.name] for stored in EXPORTED)
            expires_at = self.retention.export.ends(now)
            export_id = ExportId(self.ids.new(after=end_of(each.id for each in exports)))
            export = Export.request(account_id, export_id, total, now, expires_at)
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
            return await tx.exports.get_even_broken(export_id)


@dataclass(frozen=True, slots=True)
class ListExports:
    """Pages through the exports that were asked for, newest first."""

    store: Store

    async def __call__(
        self, account_id: AccountId, before: ExportId | None = None, limit: int = MOST
    ) -> Page[Export, ExportId]:
        """Return a page of up to `limit`. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            found = await tx.exports.page(before, limit + 1)
        items = found[:limit]
        return Page(items, items[-1].id if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class DownloadExport:
    """Hands an export over to someone who knows the password, and for some minutes again if that broke off."""

    store: Store
    verify_password: VerifyPassword
    clock: Clock

    async def __call__(
        self, account_id: AccountId, export_id: ExportId, password: Password
    ) -> AsyncGenerator[bytes, None]:
        """Return the archive in slices. Repeating is harmless, and soon refused.

        Raises NotFound, WrongCredentials, TooManyGuesses, Overloaded, ExportNotReady; the slices do, when it expires
        while being read.
        """
        async with self.store.begin(account_id) as tx:
            await tx.exports.get(export_id)
        await self.verify_password.of_caller(account_id, password)
        await self._claim(account_id, export_id)
        return slices(self.store, account_id, export_id)

    async def _claim(self, account_id: AccountId, export_id: ExportId) -> None:
        """Commit that it is being downloaded: its last minutes begin."""

        async def change(tx: Tx) -> None:
            export = await tx.exports.get(export_id)
            export.download(self.clock.now())
            tx.save(export)

        await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class MeasureExport:
    """Tells how long an export is, for whoever goes on with a download that broke off."""

    store: Store

    async def __call__(self, account_id: AccountId, export_id: ExportId) -> int:
        """Return its length in bytes. Raises ExportNotReady. Repeating is harmless."""
        async with aclosing(slices(self.store, account_id, export_id)) as parts:
            return sum([len(part) async for part in parts])


async def slices(store: Store, account_id: AccountId, export_id: ExportId) -> AsyncGenerator[bytes, None]:
    """Yield an export's parts in order. Raises ExportNotReady where there are none, or none any more."""
    position = 0
    while True:
        async with store.begin(account_id) as tx:
            part = await tx.exports.part(export_id, position)
            if part is None and await tx.exports.part(export_id, 0) is None:
                raise ExportNotReady
        if part is None:
            return
        yield part.content
        position += 1


@dataclass(frozen=True, slots=True)
class ExpireExports(Purge):
    """Deletes exports whose time is over, downloaded or not (clause H15)."""

    name: ClassVar[str] = "exports"

    store: Store
    directory: Directory

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Expire up to `limit` whose time is over by `now`. Repeating is harmless."""
        return await purge_each(await self.directory.exports_to_expire(now, limit), self._expire)

    async def _expire(self, late: tuple[AccountId, ExportId]) -> bool:
        account_id, export_id = late

        async def change(tx: Tx) -> None:
            export = await tx.exports.get_even_broken(export_id)
            export.expire()
            tx.save(export)
            tx.exports.remove_parts(export_id)

        await self.store.update(account_id, change)
        return True


JOBS = (JobType("build_export", BuildExport, after={ExportRequested: NOW}, asks=Provider.OBJECTS),)
