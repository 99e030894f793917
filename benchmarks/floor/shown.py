"""The floor's records as an export shows them: what is plain is made into text by PostgreSQL, what is sealed is opened.

Which columns a table has, which of them are shown, and what a sealed cell is bound to is the product's to say, and
changes with it: so it is asked for. A record that does not open is shown without what does not, as by the product.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from json.encoder import encode_basestring as quoted
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.outbound.postgres.binding import KNOWN
from adapters.outbound.postgres.codec import CODECS
from application.inventory import INVENTORY, Stored
from application.ports.keyring import AccountKey
from benchmarks.floor.binding import prefixed
from domain.classification import StorageKind

_CARE = re.compile(r'[,"\r\n]')
_FORMULA, _NUMBER = ("=", "+", "-", "@", "\t", "\r"), re.compile(r"[+-]?\d+")
_Rows = Callable[[Iterable[asyncpg.Record]], Iterator[str]]


@dataclass(slots=True)
class Vault:
    """An account's sealed cells."""

    environment: bytes
    account: UUID
    key: AccountKey
    unreadable: list[tuple[str, UUID]] = field(default_factory=list)
    """Tables and ids of records of which something does not open."""
    aead: AESGCM = field(init=False)
    header: bytes = field(init=False)
    after: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.aead = AESGCM(HKDF(SHA256(), 32, None, b"pico sealed columns").derive(self.key.material))
        number = self.key.version.to_bytes(2)
        self.header, self.after = b"\x01" + number, prefixed(number)

    def before(self, table: str, column: str) -> bytes:
        """Return what a cell is bound to, up to the row's id."""
        parts = (self.environment, table.encode(), column.encode(), self.account.bytes)
        return b"".join(map(prefixed, parts)) + (16).to_bytes(4)


class _Cells:
    """Some sealed cells of a table. Of each row are selected: its id, these cells, what they are bound to."""

    def __init__(self, stored: Stored, names: list[str]) -> None:
        codec = CODECS[stored.of]
        columns, binder = codec.table.c, codec.binder
        self.table, self.names = stored.name, names
        self.binding = names.index(codec.sealing) if codec.sealing in names else None
        bound = [*binder.names, "version"] if self.binding is not None else []
        times = {name for name in bound if isinstance(columns[name].type, sa.TIMESTAMP)}
        self.selected = ["id", *names, *(_bound(columns[name], sent=name in times) for name in bound)]
        values = [f"row[{1 + len(names) + at}]" for at in range(len(bound))]
        if self.binding is not None:
            made = binder.expression(values[:-1], values[-1], times)
            self.bound = eval(f"lambda row: {made}", dict(KNOWN))  # noqa: S307 - of names in code
        final = codec.fields[codec.final] if self.binding is not None and codec.final is not None else None
        self.final = None if final is None else 1 + len(names) + bound.index(final)

    def opener(self, vault: Vault) -> Callable[[asyncpg.Record], list[bytes | None]]:
        """Return what opens a row's cells: None where there is nothing, or nothing that opens."""
        decrypt, header, ended = vault.aead.decrypt, vault.header, vault.key.ended
        places = [vault.before(self.table, name) for name in self.names]
        binding, final = self.binding, self.final

        def opened(row: asyncpg.Record) -> list[bytes | None]:
            row_id = row[0].bytes
            behind, cells, whole = row_id + vault.after, list[bytes | None](), True
            for at, before in enumerate(places):
                blob = row[at + 1]
                if blob is None:
                    cells.append(None)
                    continue
                place = before + behind
                if at == binding:
                    place += self.bound(row)
                    if final is not None and ended and row[final] is None and row_id in ended:
                        place = b""  # an earlier state of a row that is over
                if blob[:3] != header:
                    place = b""
                try:
                    cells.append(decrypt(blob[3:15], blob[15:], place))
                except InvalidTag:
                    cells.append(None)
                    whole = False
            if not whole:
                vault.unreadable.append((self.table, row[0]))
            return cells

        return opened


class Table:
    """One kind of record: two statements, which take the account, and what makes text of their rows."""

    def __init__(self, stored: Stored) -> None:
        codec = CODECS[stored.of]
        sealed = [field.name for field in codec.readable if field.policy.kind is StorageKind.SEALED]
        self.name, self._columns = stored.name, codec.table.c
        self._shown = [name for name in stored.exported if name in sealed]
        self._all = _Cells(stored, [*sealed, *(["seal"] if codec.sealing == "seal" else [])])
        self._of_these = _Cells(stored, self._shown)
        plain = ", ".join(f"'{name}', {name}" for name in stored.exported if name not in sealed)
        text = f"""replace(json_build_object({plain})::text, '+00:00"', 'Z"')"""
        rows = f"FROM {stored.name} WHERE {stored.owner} = $1 ORDER BY id"
        shown = f"left({text}, -1)" if self._shown else text
        self.json = f"SELECT {', '.join(self._all.selected)}, {shown} {rows}"
        runs = [(care, [*names]) for care, names in groupby(stored.exported, self._needs_care)]
        self._line: list[tuple[bool, int]] = []
        """Cells of a line: whether it needs care, and which of those opened or, if it is plain, selected it is."""
        selected = list(self._of_these.selected)
        for care, names in runs:
            for name in names if care else [""]:
                if name in self._shown:
                    self._line.append((True, -1 - self._shown.index(name)))
                    continue
                self._line.append((care, len(selected)))
                selected.append(name if care else " || ',' || ".join(map(self._cell, names)))
        self.csv = f"SELECT {', '.join(selected)} {rows}"
        self.heading = "\ufeff" + ",".join(stored.exported) + "\r\n"

    def as_json(self, vault: Vault) -> _Rows:
        """Return what makes JSON of the rows of `json`."""
        opened = self._all.opener(vault)
        shown = [(f', "{name}": ', self._all.names.index(name)) for name in self._shown]
        if not self._all.names:
            return lambda rows: (row[-1] for row in rows)

        def made(rows: Iterable[asyncpg.Record]) -> Iterator[str]:
            for row in rows:
                cells, text = opened(row), row[-1]
                for name, at in shown:
                    cell = cells[at]
                    text += name + ("null" if cell is None else quoted(cell.decode()))
                yield text + "}" if shown else text

        return made

    def as_csv(self, vault: Vault) -> _Rows:
        """Return what makes lines of CSV of the rows of `csv`."""
        opened, line = self._of_these.opener(vault), self._line
        if not any(care for care, _ in line):
            return lambda rows: (row[-1] + "\r\n" for row in rows)

        def made(rows: Iterable[asyncpg.Record]) -> Iterator[str]:
            for row in rows:
                cells = opened(row)
                parts = []
                for care, at in line:
                    if not care:
                        parts.append(row[at])
                    elif at < 0:
                        cell = cells[-1 - at]
                        parts.append("" if cell is None else _careful(cell.decode()))
                    else:
                        parts.append(_careful(row[at] or ""))
                yield ",".join(parts) + "\r\n"

        return made

    def _needs_care(self, name: str) -> bool:
        """Tell whether somebody else chose what is in a column."""
        return self._columns[name].info["kind"] in {StorageKind.SEALED, StorageKind.REF}

    def _cell(self, name: str) -> str:
        kind = self._columns[name].type
        text = f"{name}::text"
        if isinstance(kind, sa.TIMESTAMP):
            text = f"""replace(to_char({name}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000', '')"""
        if isinstance(kind, ARRAY):
            text = f"array_to_string({name}, ' ')"
        return f"coalesce({text}, '')"


def _bound(column: sa.Column[Any], *, sent: bool) -> str:
    if sent:
        return f"timestamptz_send({column.name})"
    return f"{column.name}::text" if isinstance(column.type, sa.Enum) else column.name


def _careful(text: str) -> str:
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if _CARE.search(text) else text


TABLES = tuple(Table(stored) for stored in INVENTORY if stored.exported)
