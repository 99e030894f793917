"""Between aggregates and rows: what is sealed going in, opened coming out, and what changed meanwhile.

Everything that can be known of a type is worked out once, when this module is imported. Most columns need no work at
all; a row costs one call for each sealed column and each member of a closed set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Generic, TypeVar, get_args, get_origin

from adapters.outbound.postgres.sealing import AccountCipher, blind_index
from adapters.outbound.postgres.tables import closed_set, companion
from application.inventory import BY_TYPE, Column, Stored
from domain.kernel import Aggregate, IndexScope, StorageKind
from domain.values import PersonalText

A = TypeVar("A", bound=Aggregate)
Row = Any
"""An asyncpg record, or a slice of one: values by position."""

_SQL_TYPES = {
    StorageKind.ID: "uuid", StorageKind.REF: "text", StorageKind.TIME: "timestamptz", StorageKind.ENUM: "text",
    StorageKind.COUNT: "integer",
    StorageKind.INDEX: "bytea", StorageKind.SEALED: "bytea",
}  # fmt: skip
"""What the driver is given; it would have to look every enum type up, once for each connection."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What one account's unit of work seals and blind_indexes with."""

    cipher: AccountCipher
    system: bytes

    def blind_index(self, found: IndexScope | None, purpose: str, value: str) -> bytes:
        """Return the blind index of a value. `purpose` is "table.column"; `value` its canonical form."""
        if found is IndexScope.ACCOUNT:
            return self.cipher.blind_index(purpose, value.encode())
        return blind_index(self.system, purpose, value.encode())


class Codec(Generic[A]):
    """How one type of aggregate is held in its table."""

    def __init__(self, stored: Stored) -> None:
        held = [column for column in stored.columns if column.kind is not StorageKind.INDEX]
        hidden = [column for column in stored.columns if column.kind is StorageKind.INDEX]
        self.of: type[A] = stored.of  # type: ignore[assignment]  # the inventory is not generic
        self.table = stored.name
        self.owner = stored.owner
        self.fields = tuple(column.name for column in (*held, *hidden))
        """Every field, those that can be read back first."""
        self.owned = tuple(at for at, name in enumerate(self.fields) if name != self.owner)
        """Where in `fields` everything but the account's id stands."""
        self.written = tuple(_written(column) for column in (*held, *hidden))
        """For each field its columns, each with its SQL type."""
        self.values: Callable[[A], tuple[Any, ...]] = attrgetter(*self.fields)
        self._readable = self.fields[: len(held)]
        self._selected = tuple(column.name + _as_text(column) for column in held)
        self._unreadable = (None,) * len(hidden)
        self._id = self.fields.index("id")
        self._members = tuple((at, read) for at, column in enumerate(held) if (read := _member(column.type)))
        self._sealed = tuple(
            (at, c.name, _opened(c.type)) for at, c in enumerate(held) if c.kind is StorageKind.SEALED
        )
        self._writers = tuple(self._writer(column) for column in (*held, *hidden))

    def columns(self, alias: str = "") -> str:
        """Return the list to select, in the order that `loader` reads."""
        return ", ".join(f"{alias}{name}" for name in (*self._selected, "version"))

    def loader(self, cipher: AccountCipher) -> Callable[[Row], A]:
        """Return what makes an aggregate of a row. It raises SealBroken."""
        of, readable, members, unreadable, id_at = (
            self.of,
            self._readable,
            self._members,
            self._unreadable,
            self._id,
        )
        sealed = [(at, cipher.column(self.table, name).open, make) for at, name, make in self._sealed]

        def load(row: Row) -> A:
            *values, version = row
            for at, read in members:
                if (value := values[at]) is not None:
                    values[at] = read(value)
            if sealed:
                row_id = values[id_at].bytes
                for at, opened, make in sealed:
                    if (value := values[at]) is not None:
                        values[at] = make(opened(row_id, value))
            return of(
                **dict(zip(readable, values, strict=True)), version=version, origin=(*values, *unreadable)
            )

        return load

    def plain(self, cipher: AccountCipher) -> Callable[[Row], dict[str, Any]]:
        """Return what makes plain values by column name of a row. It raises SealBroken."""
        load, readable = self.loader(cipher), self._readable
        return lambda row: {
            name: _plain(value) for name, value in zip(readable, load(row).origin, strict=False)
        }

    def changed(self, aggregate: A) -> tuple[int, ...]:
        """Return where in `fields` an aggregate differs from the row it was loaded from."""
        pairs = zip(self.values(aggregate), aggregate.origin, strict=True)
        return tuple([at for at, (now, before) in enumerate(pairs) if now is not before and now != before])

    def encode(self, aggregate: A, places: Iterable[int], keys: Keys, into: list[Any]) -> None:
        """Append the column values of some fields, as `written` lists them."""
        values, writers, row_id = self.values(aggregate), self._writers, aggregate.id.bytes  # type: ignore[attr-defined]
        for at in places:
            write = writers[at]
            if write is None:
                into.append(values[at])
            else:
                write(into, values[at], row_id, keys)

    def _writer(self, column: Column) -> Callable[[list[Any], Any, bytes, Keys], None] | None:
        if get_origin(column.type) is frozenset:
            return lambda into, value, _row_id, _keys: into.append(sorted(value))
        name, found, index = column.name, column.policy.found, companion(column)
        purpose = f"{self.table}.{name}"
        if column.kind is StorageKind.INDEX:
            return lambda into, value, _row_id, keys: into.append(keys.blind_index(found, purpose, value))
        if column.kind is not StorageKind.SEALED:
            return None

        def seal(into: list[Any], value: Any, row_id: bytes, keys: Keys) -> None:  # noqa: ANN401 - text or bytes
            if value is None:
                into.extend((None, None) if index else (None,))
                return
            data = value if isinstance(value, bytes) else value.encode()
            into.append(keys.cipher.column(self.table, name).seal(row_id, data))
            if index:
                into.append(keys.blind_index(found, purpose, value.canonical))

        return seal


def _as_text(column: Column) -> str:
    """Return the cast by which members of a closed set are read."""
    name = closed_set(column.type)
    return "" if name is None else "::text[]" if name.endswith("[]") else "::text"


def _written(column: Column) -> tuple[tuple[str, str], ...]:
    name = closed_set(column.type)
    itself = (column.name, _SQL_TYPES[column.kind] if name is None else f"{_as_text(column)[2:]}::{name}")
    return (itself, (index, "bytea")) if (index := companion(column)) else (itself,)


def _member(of: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401 - a type annotation
    """Return what reads a member of a closed set, or several; None for a column that needs no reading."""
    if get_origin(of) is frozenset:
        one = _member(get_args(of)[0])
        return lambda values: frozenset(map(one, values))  # type: ignore[arg-type]  # a set is of members
    if isinstance(of, type) and issubclass(of, StrEnum):
        return {member.value: member for member in of}.__getitem__
    if isinstance(of, type) and issubclass(of, str) and not issubclass(of, PersonalText):
        return of  # a code with a type of its own, such as a country's
    return None


def _opened(of: Any) -> Callable[[bytes], Any]:  # noqa: ANN401 - a type annotation
    """Return what makes a value of opened bytes."""
    return bytes if of is bytes else partial(_text, of)


def _text(of: type[str], data: bytes) -> str:
    return of(data, "utf-8")


def _plain(value: Any) -> Any:  # noqa: ANN401 - anything a field may hold
    if isinstance(value, str):
        return str(value)
    return sorted(map(str, value)) if isinstance(value, frozenset) else value


CODECS: Mapping[type[Aggregate], Codec[Any]] = MappingProxyType(
    {of: Codec(stored) for of, stored in BY_TYPE.items()}
)
