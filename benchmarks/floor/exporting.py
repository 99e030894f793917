"""The floor's export: the same archive, written by hand, in parts of which each is a commit.

One snapshot, a statement and a cursor for each table and form. What is the same in every archive is made once. Of
files nothing is seeded, and the floor goes no further than the look.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from os import urandom
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import asyncpg

from adapters.outbound.postgres.codec import CODECS
from application.export_pages import first_page
from application.export_schema import schema
from application.export_words import words_for
from application.ports.jobs import JobLease
from application.ports.keyring import AccountKey
from benchmarks.floor.database import JOB, LIVE_EVENT
from benchmarks.floor.shown import TABLES, Vault
from domain.exports import Export, ExportPart
from domain.retention import Retention
from domain.values import Locale

PART = 1 << 20
ROWS = 1000
SCHEMA = json.dumps(schema(), indent=1).encode()
_FILES = "SELECT " + " OR ".join(
    f"EXISTS (SELECT FROM {table} WHERE account_id = $1 AND state = 'kept'{more})"
    for table, more in (("media", ""), ("voicemails", ""), ("greetings", " AND sound IS NOT NULL"))
)
_BOUND = CODECS[Export].binder.data, CODECS[ExportPart].binder.data
_PART = (
    "part AS (INSERT INTO export_parts (account_id, id, export_id, position, content, version)"
    " VALUES ($1, $2, $7, $3, $4, 1))"
)
_EXPORT = (
    "export AS (UPDATE exports SET {}, seal = $8, version = version + 1"
    " WHERE account_id = $1 AND id = $7 AND version = $5 RETURNING 1)"
)
_APPEND = (
    f"WITH {_PART}, {_EXPORT.format('rows_done = $9, rows_unreadable = $10')}"
    " SELECT 1 / (SELECT count(*) FROM export), $6::timestamptz"
)
_READY = _EXPORT.format(
    "state = 'ready', rows_done = $9, rows_total = $9, rows_unreadable = $10, expires_at = $11"
)
_FINISH = (
    f"WITH {_PART}, {_READY}, {LIVE_EVENT.format('export.ready')}, {JOB.format('mail_export_ready', '0')},"
    " ended AS (DELETE FROM jobs"
    " WHERE account_id = $1 AND id = $12 AND token = $13 AND state = 'leased' RETURNING 1)"
    " SELECT 1 / ((SELECT count(*) FROM export) * (SELECT count(*) FROM ended))"
)


@dataclass(slots=True)
class _Outlet:
    held: bytearray = field(default_factory=bytearray)

    def write(self, content: bytes) -> int:
        self.held += content
        return len(content)

    def flush(self) -> None:
        pass


class _Archive:
    def __init__(self, at: datetime) -> None:
        self.out, self.entries, self._date = _Outlet(), list[dict[str, Any]](), at.timetuple()[:6]
        self.zip = ZipFile(self.out, "w", compresslevel=1)  # type: ignore[call-overload]  # it only writes

    @contextmanager
    def file(self, name: str) -> Iterator[Any]:
        info = ZipInfo(name, self._date)
        info.compress_type, info.external_attr = ZIP_DEFLATED, 0o600 << 16
        hashed, size = sha256(), 0
        with self.zip.open(info, "w", force_zip64=True) as into:

            def write(content: bytes) -> None:
                nonlocal size
                into.write(content)
                hashed.update(content)
                size += len(content)

            yield write
        self.entries.append({"name": name, "size": size, "sha256": hashed.hexdigest()})

    def take(self) -> bytes:
        taken = bytes(self.out.held)
        self.out.held.clear()
        return taken


@dataclass(slots=True)
class _Done:
    """What has come to be in an archive."""

    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)


class Exporter:
    """Exports one account after the other: one connection reads, another one writes."""

    def __init__(self, reads: asyncpg.Connection, writes: asyncpg.Connection, environment: str) -> None:
        """Both must be in UTC."""
        self.reads, self.writes, self.environment = reads, writes, environment.encode()

    async def export(
        self, account: UUID, export: UUID, key: AccountKey, lease: JobLease, at: datetime
    ) -> None:
        """Write the parts of an export that was just begun, and that it is ready."""
        vault = Vault(self.environment, account, key)
        requested_at, rows_total, version, expires_at = await self.writes.fetchrow(
            "SELECT requested_at, rows_total, version, expires_at FROM exports"
            " WHERE account_id = $1 AND id = $2 AND state = 'building' AND rows_done = 0",
            account, export,
        )  # fmt: skip
        part_before, seal_before = vault.before("export_parts", "content"), vault.before("exports", "seal")
        done, position, held = _Done(), 0, bytearray()

        def sealed(before: bytes, row: UUID, content: bytes, bound: bytes) -> bytes:
            nonce = urandom(12)
            place = before + row.bytes + vault.after + bound
            return vault.header + nonce + vault.aead.encrypt(nonce, content, place)

        def values(state: str, total: int, until: datetime) -> list[Any]:
            row, broken = uuid4(), len(vault.unreadable)
            of_export, of_part = _BOUND
            said = (state, requested_at, done.rows, total, broken, until)
            seal = sealed(seal_before, export, b"", of_export(said, version + 1))
            content = sealed(part_before, row, bytes(held), of_part((export, position), 1))
            return [account, row, position, content, version, at, export, seal, done.rows, broken]

        async for piece in self.archive(vault, at, done):
            held += piece
            if len(held) >= PART:
                await self.writes.fetch(_APPEND, *values("building", rows_total, expires_at))
                held.clear()
                position, version = position + 1, version + 1
        until = Retention().export.ends(at)
        last = values("ready", done.rows, until)
        await self.writes.fetch(_FINISH, *last, until, lease.job_id, lease.token)

    async def archive(self, vault: Vault, at: datetime, done: _Done | None = None) -> AsyncIterator[bytes]:
        """Yield the archive piece by piece."""
        done, archive, account = done or _Done(), _Archive(at), vault.account
        exported_at = at.isoformat().replace("+00:00", "Z")
        async with self.reads.transaction(isolation="repeatable_read", readonly=True):
            with archive.file("export.json") as write:
                head = f'"format": "pico-export-1", "account_id": "{account}", "exported_at": "{exported_at}"'
                write(f'{{{head}, "records": {{'.encode())
                for nth, table in enumerate(TABLES):
                    write(f'{", " if nth else ""}"{table.name}": ['.encode())
                    as_json, count, separator = table.as_json(vault), 0, b""
                    rows = await self.reads.cursor(table.json, account)
                    while batch := await rows.fetch(ROWS):
                        write(separator + ",\n".join(as_json(batch)).encode())
                        count, separator = count + len(batch), b",\n"
                        done.rows += len(batch)
                        yield archive.take()
                    write(b"]")
                    done.counts[table.name] = count
                broken = [{"table": table, "id": str(row)} for table, row in vault.unreadable]
                tail = json.dumps({"partial": bool(broken), "unreadable": broken})
                write(f"}}, {tail[1:]}\n".encode())
            again = Vault(vault.environment, account, vault.key)
            for table in TABLES:
                if not done.counts[table.name]:
                    continue
                with archive.file(f"csv/{table.name}.csv") as write:
                    write(table.heading.encode())
                    as_csv = table.as_csv(again)
                    rows = await self.reads.cursor(table.csv, account)
                    while batch := await rows.fetch(ROWS):
                        write("".join(as_csv(batch)).encode())
                        yield archive.take()
            if await self.reads.fetchval(_FILES, account):
                raise NotImplementedError("files")
            locale = await self.reads.fetchrow("SELECT id, locale FROM accounts WHERE id = $1", account)
        blob, place = locale[1], vault.before("accounts", "locale") + account.bytes + vault.after
        words = words_for(Locale(vault.aead.decrypt(blob[3:15], blob[15:], place).decode()))
        with archive.file("index.html") as write:
            write(first_page(words, at, done.counts, {}, len(broken)))
        with archive.file("schema.json") as write:
            write(SCHEMA)
        with archive.file("manifest.json") as write:
            said = {
                "format": "pico-archive-1", "account_id": str(account), "exported_at": exported_at,
                "files": archive.entries, "records": done.counts, "partial": bool(broken),
                "unreadable": broken, "damaged_files": [],
            }  # fmt: skip
            write(json.dumps(said, indent=1).encode())
        archive.zip.close()
        yield archive.take()
