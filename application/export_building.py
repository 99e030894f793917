"""The use case that builds an export: an archive of every record of the inventory, opened, and of every file.

It is written as a stream, in sealed parts: memory holds a page of records and a piece of the archive.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from application import export_pages
from application.export_archive import Archive, Entry
from application.export_files import EXPORTED_FILES, ExportedFiles
from application.export_schema import EXPORT, FORMAT, MANIFEST, schema_text
from application.export_words import words_for
from application.inventory import INVENTORY, Stored
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.jobs import JobLease
from application.ports.objects import Objects
from application.ports.repositories.exports import Records, Written
from application.ports.store import Store, Tx, VersionConflict
from domain.exports import Export, ExportPart
from domain.kernel import AccountId, ExportId, NotFound, ObjectId, PartId, SealBroken
from domain.retention import Retention
from domain.values import Locale

ROWS = 500
"""Records read at once: memory stays flat however much there is."""
PART = 1 << 20
"""Bytes in a part, before those of one more page of records or piece of a file."""

EXPORTED = tuple(stored for stored in INVENTORY if stored.exported)


class Slice(NamedTuple):
    """Some of the JSON text: how many records are in it, and how many of these are broken."""

    text: str
    rows: int = 0
    unreadable: int = 0


class Piece(NamedTuple):
    """Some of the archive, and how many records came to be in it, and how many of these are broken."""

    content: bytes
    rows: int = 0
    unreadable: int = 0
    before: int = 0
    """Records in the parts before it."""
    position: int = 0
    is_last: bool = False


@dataclass(slots=True)
class Contents:
    """What has come to be in an export so far."""

    at: datetime
    counts: dict[str, int] = field(default_factory=dict)
    """How many records of each kind."""
    unreadable: list[dict[str, str]] = field(default_factory=list)
    """Records of which something does not open."""
    files: dict[str, int] = field(default_factory=dict)
    """How many files in each folder."""
    damaged_files: list[dict[str, str]] = field(default_factory=list)
    """Files of which something does not open, or which are not there."""

    def manifest(self, account_id: AccountId, entries: list[Entry]) -> bytes:
        """Return what the archive says of itself: every file but this one, by size and hash."""
        said = {
            "format": "pico-archive-1",
            "account_id": str(account_id),
            "exported_at": self.at.isoformat().replace("+00:00", "Z"),
            "files": [{"name": one.name, "size": one.size, "sha256": one.sha256} for one in entries],
            "records": self.counts,
            "partial": bool(self.unreadable or self.damaged_files),
            "unreadable": self.unreadable,
            "damaged_files": self.damaged_files,
        }
        return json.dumps(said, indent=1).encode()


@dataclass(frozen=True, slots=True)
class BuildExport:
    """Writes every record of the inventory, opened, and every file into one archive, in sealed parts."""

    store: Store
    objects: Objects
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

    async def _parts(self, account_id: AccountId) -> AsyncGenerator[Piece, None]:
        """Yield the archive in parts of about PART bytes: each costs a commit."""
        content, rows, unreadable, before, position = bytearray(), 0, 0, 0, 0
        async with aclosing(self.archive(account_id)) as pieces:
            async for piece in pieces:
                content += piece.content
                rows, unreadable = rows + piece.rows, unreadable + piece.unreadable
                if len(content) >= PART:
                    yield Piece(bytes(content), rows, unreadable, before, position)
                    content.clear()
                    before, position, rows, unreadable = before + rows, position + 1, 0, 0
        yield Piece(bytes(content), rows, unreadable, before, position, is_last=True)

    async def archive(self, account_id: AccountId) -> AsyncGenerator[Piece, None]:
        """Yield the archive piece by piece: export.json, tables, files, and what tells of them."""
        contents = Contents(self.clock.now())
        archive = Archive(contents.at)
        async with self.store.snapshot(account_id) as records:
            with archive.file(EXPORT) as into:
                async with aclosing(self._document(account_id, records, contents)) as document:
                    async for slice_ in document:
                        into.write(slice_.text.encode())
                        yield Piece(archive.take(), slice_.rows, slice_.unreadable)
            for stored in (stored for stored in EXPORTED if contents.counts[stored.name]):
                with archive.file(f"csv/{stored.name}.csv") as into:
                    into.write(export_pages.heading(stored))
                    after, left = None, contents.counts[stored.name]
                    while left > 0 and (page := await records.page(stored, after, ROWS)):
                        into.write(export_pages.table(stored, page))
                        after, left = page[-1]["id"], left - len(page)
                        yield Piece(archive.take())
        for files in EXPORTED_FILES:
            async with aclosing(self._files(account_id, files, archive, contents)) as pieces:
                async for content in pieces:
                    yield Piece(content)
        harmed = len(contents.unreadable) + len(contents.damaged_files)
        words = words_for(await self._language(account_id))
        welcome = export_pages.first_page(words, contents.at, contents.counts, contents.files, harmed)
        for name, content in (("index.html", welcome), ("schema.json", schema_text())):
            with archive.file(name) as into:
                into.write(content)
        with archive.file(MANIFEST) as into:
            into.write(contents.manifest(account_id, archive.entries))
        archive.close()
        yield Piece(archive.take())

    async def _language(self, account_id: AccountId) -> Locale:
        async with self.store.begin(account_id) as tx:
            return (await tx.accounts.get_even_broken()).language

    async def _files(
        self, account_id: AccountId, files: ExportedFiles, archive: Archive, contents: Contents
    ) -> AsyncGenerator[bytes, None]:
        """Write every file of one kind. One that is damaged holds up no other, and is named."""
        after = None
        while True:
            async with self.store.begin(account_id) as tx:
                page = await tx.records.page(files.stored, after, ROWS)
            if not page:
                return
            after = page[-1]["id"]
            for row in filter(files.kept, page):
                name = files.name(row)
                try:
                    async with self.objects.open(account_id, ObjectId(row["id"])) as opened:
                        with archive.file(name, packed=False) as into:
                            async for content in opened.read():
                                into.write(content)
                                yield archive.take()
                except (NotFound, SealBroken) as error:
                    contents.damaged_files.append({"name": name, "why": error.code})
                else:
                    contents.files[files.folder] = contents.files.get(files.folder, 0) + 1

    async def document(self, account_id: AccountId) -> AsyncGenerator[Slice, None]:
        """Yield slices of the JSON text alone.

        All is as it is at one moment. What does not open is null; broken records are named again at the end, where the
        text says that it is partial.
        """
        async with self.store.snapshot(account_id) as records:
            contents = Contents(self.clock.now())
            async with aclosing(self._document(account_id, records, contents)) as document:
                async for slice_ in document:
                    yield slice_

    async def _document(
        self, account_id: AccountId, records: Records, contents: Contents
    ) -> AsyncGenerator[Slice, None]:
        head = {
            "format": FORMAT,
            "account_id": str(account_id),
            "exported_at": contents.at.isoformat().replace("+00:00", "Z"),
        }
        yield Slice(json.dumps(head)[:-1] + ', "records": {')
        for number, stored in enumerate(EXPORTED):
            yield Slice(f"{', ' if number else ''}{json.dumps(stored.name)}: [")
            after, separator, count = None, "", 0
            # A page that is not full is the last one.
            while count % ROWS == 0 and (page := await self._page(records, stored, after)).rows:
                contents.unreadable += [{"table": stored.name, "id": str(row_id)} for row_id in page.broken]
                yield Slice(separator + page.text, page.rows, len(page.broken))
                after, separator, count = page.last, ",\n", count + page.rows
            contents.counts[stored.name] = count
            yield Slice("]")
        tail = {"partial": bool(contents.unreadable), "unreadable": contents.unreadable}
        yield Slice("}, " + json.dumps(tail)[1:] + "\n")

    async def _page(self, records: Records, stored: Stored, after: UUID | None) -> Written:
        return await records.written(stored, after, ROWS)

    async def _restart(self, account_id: AccountId, export_id: ExportId) -> bool:
        """Delete what an interrupted attempt left; tell whether the export is still wanted."""

        async def change(tx: Tx) -> bool:
            export = await tx.exports.get_even_broken(export_id)
            if not export.is_building:
                return False
            if export.rows_done or await tx.exports.part(export_id, 0) is not None:
                export.restart()
                tx.exports.remove_parts(export_id)
                tx.save(export)
            return True

        return await self.store.update(account_id, change)

    async def _append(self, account_id: AccountId, export_id: ExportId, part: Piece) -> None:
        """Commit one part together with the progress it means."""

        async def change(tx: Tx) -> None:
            await self._add(tx, export_id, part)

        await self.store.update(account_id, change)

    async def _finish(self, account_id: AccountId, export_id: ExportId, part: Piece, lease: JobLease) -> None:
        """Commit the last part, and that it is ready."""

        async def change(tx: Tx) -> None:
            now = self.clock.now()
            export = await self._add(tx, export_id, part)
            export.ready(now, self.retention.export.ends(now))
            tx.save(export)

        await self.store.update(account_id, change, completing=lease)

    async def _add(self, tx: Tx, export_id: ExportId, part: Piece) -> Export:
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
                content=part.content,
            )
        )
        return export
