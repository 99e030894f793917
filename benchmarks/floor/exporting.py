"""The floor's export: one transaction, a statement and a cursor for each table, JSON made where the rows are read.

What a sealed cell is bound to is the product's to say, and changes with it: its columns are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from json import JSONEncoder
from os import urandom
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.outbound.postgres.codec import CODECS
from benchmarks.floor.binding import prefixed

PART = 1 << 20
ROWS = 1000
TABLES = {
    "accounts": (
        ("email", "display_name", "locale"),
        ("id", "terms_accepted_at", "privacy_accepted_at", "created_at", "state", "verified_at", "erase_at"),
    ),
    "sessions": ((), ("id", "created_at", "ends_at", "revoked_at")),
    "phone_lines": (
        ("number", "label"),
        ("id", "country", "capabilities", "state", "ref", "created_at", "released_at", "release_at"),
    ),
    "conversations": (
        ("peer",),
        ("id", "line_id", "last_at", "unread", "total", "opted_out_at", "created_at"),
    ),
    "messages": (
        ("body",),
        ("id", "conversation_id", "line_id", "direction", "status", "created_at", "attachments", "failure"),
    ),
    "opt_outs": ((), ("id", "line_id", "opted_out_at")),
    "idempotency_records": ((), ("id", "resource_id", "expires_at")),
    "exports": (
        (),
        ("id", "state", "requested_at", "rows_done", "rows_total", "rows_unreadable", "expires_at"),
    ),
    "audit_entries": ((), ("id", "at", "kind", "subject")),
}
"""What the export shows of each table: sealed columns, and plain ones."""
_json = JSONEncoder(ensure_ascii=False).encode


CODECS_BY_NAME = {codec.name: codec for codec in CODECS.values()}


def _statement(table: str) -> str:
    sealed, plain = TABLES[table]
    codec = CODECS_BY_NAME[table]
    bound = [
        f"{name}::text" if isinstance(codec.table.c[name].type, sa.Enum) else name
        for name in codec.binder.names
    ]
    shown = ", ".join(f"'{name}', {name}" for name in plain)
    owner = "id" if table == "accounts" else "account_id"
    blobs = "".join(f", {name}" for name in (*sealed, *(["version", *bound] if bound else ())))
    return f"SELECT json_build_object({shown})::text, id{blobs} FROM {table} WHERE {owner} = $1 ORDER BY id"


STATEMENTS = {table: _statement(table) for table in TABLES}


def _line(
    record: asyncpg.Record, cells: list[tuple[str, bytes, bool]], bound: Callable[[Sequence[Any], int], bytes],
    aead: AESGCM, header: bytes, after: bytes,
) -> str:  # fmt: skip
    text: str = record[0]
    if not cells:
        return text
    row, line = record[1].bytes, [text[:-1]]
    version = 2 + len(cells)
    for at, (name, before, binds) in enumerate(cells, 2):
        line.append(name)
        blob = record[at]
        if blob is None:
            line.append("null")
            continue
        if blob[:3] != header:
            raise ValueError("sealed under another key")
        place = before + row + after
        if binds:
            place += bound(record[version + 1 :], record[version])
        line.append(_json(aead.decrypt(blob[3:15], blob[15:], place).decode()))
    line.append("}")
    return "".join(line)


class Exporter:
    """Exports one account after the other, on one connection."""

    def __init__(self, connection: asyncpg.Connection, environment: str) -> None:
        self.connection, self.environment = connection, environment.encode()

    async def export(self, account: UUID, export: UUID, version: int, material: bytes) -> None:
        """Write the parts of an export, and that it is ready."""
        aead = AESGCM(HKDF(SHA256(), 32, None, b"pico sealed columns").derive(material))
        number = version.to_bytes(2)
        after, header = prefixed(number), b"\x01" + number

        def place(table: str, column: str) -> bytes:
            parts = (self.environment, table.encode(), column.encode(), account.bytes)
            return b"".join(map(prefixed, parts)) + (16).to_bytes(4)

        part_place, position, done = place("export_parts", "content"), 0, 0
        held, size = ['{"format": "pico-export-1", "records": {'], 0

        async def write() -> None:
            nonlocal position
            row, nonce = uuid4(), urandom(12)
            sealed = aead.encrypt(nonce, "".join(held).encode(), part_place + row.bytes + after)
            await self.connection.execute(
                "INSERT INTO export_parts (account_id, id, export_id, position, content, version)"
                " VALUES ($1, $2, $3, $4, $5, 1)",
                account, row, export, position, header + nonce + sealed,
            )  # fmt: skip
            held.clear()
            position += 1

        async with self.connection.transaction(isolation="repeatable_read"):
            for nth, (table, (sealed, _)) in enumerate(TABLES.items()):
                held.append(f'{", " if nth else ""}"{table}": [')
                codec = CODECS_BY_NAME[table]
                bound = codec.binder.data
                cells = [(f', "{name}": ', place(table, name), name == codec.sealing) for name in sealed]
                first = True
                rows = await self.connection.cursor(STATEMENTS[table], account)
                while batch := await rows.fetch(ROWS):
                    lines = [_line(record, cells, bound, aead, header, after) for record in batch]
                    page = ",\n".join(lines)
                    held += [page] if first else [",\n", page]
                    first, size, done = False, size + len(page), done + len(batch)
                    if size >= PART:
                        await write()
                        size = 0
                held.append("]")
            held.append("}}\n")
            await write()
            await self.connection.execute(
                "UPDATE exports SET state = 'ready', rows_done = $3, rows_total = $3, version = version + 1"
                " WHERE account_id = $1 AND id = $2",
                account, export, done,
            )  # fmt: skip
