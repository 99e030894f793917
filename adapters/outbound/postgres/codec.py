"""Between aggregates and rows: what is sealed going in, and what changed meanwhile. The way back is in decoding.py.

Everything that can be known of a type is worked out once, when this module is imported. Most columns need no work at
all; a row costs one call for each sealed column and each member of a closed set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Generic, TypeVar, get_origin

import sqlalchemy as sa

from adapters.outbound.postgres.binding import Binder
from adapters.outbound.postgres.sealed_forms import plain_form
from adapters.outbound.postgres.sealing import AccountCipher, blind_index
from adapters.outbound.postgres.tables import SEAL, TABLES, index_column, sealing_field
from application.inventory import BY_TYPE, Stored
from domain.classification import Field, IndexScope, StorageKind
from domain.kernel import Aggregate

A = TypeVar("A", bound=Aggregate)
ALTERED = b"altered"
"""Bound in place of what nobody vouches for: such a cell opens nowhere. No `Binder` makes these bytes."""
Writer = Callable[[list[Any], Any, bytes, "Keys", bytes], None]
"""Appends a field's column values. Given: the list, the value, the row's id, the keys, the bound values."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What one account's unit of work seals and makes blind indexes with."""

    cipher: AccountCipher
    system: bytes
    turning: bool = False
    """Whether the account's key is being rotated: then a commit must be under the version that is in use by then."""

    def account_index(self, purpose: str, value: str) -> bytes:
        """Return the blind index of a value within the account. `purpose` is "table.column"."""
        return self.cipher.blind_index(purpose, canonical(value))

    def system_index(self, purpose: str, value: str) -> bytes:
        """Return the blind index of a value under the system key: the directory's key for it."""
        return blind_index(self.system, purpose, canonical(value))


def canonical(value: str) -> bytes:
    """Return the form under which two values are the same, where they have one."""
    return getattr(value, "canonical", value).encode()


@dataclass(frozen=True, slots=True)
class DirectoryKey:
    """A field by which the directory leads to an aggregate: where it stands in `Codec.fields`, and its kind there."""

    at: int
    kind: str


class Codec(Generic[A]):
    """How one type of aggregate is held in its table."""

    def __init__(self, of: type[A], stored: Stored, table: sa.Table) -> None:
        held = [field for field in stored.columns if field.policy.kind is not StorageKind.INDEX]
        hidden = [field for field in stored.columns if field.policy.kind is StorageKind.INDEX]
        every = (*held, *hidden)
        self.of = of
        self.name = stored.name
        self.table = table
        self.owner = stored.owner
        self.readable = tuple(held)
        """The fields that can be read back."""
        self.fields = tuple(field.name for field in every)
        """Every field, those that can be read back first."""
        self.owned = tuple(at for at, name in enumerate(self.fields) if name != self.owner)
        """Where in `fields` everything but the account's id stands."""
        self.relative = {at: field.policy.kind for at, field in enumerate(every) if field.policy.relative}
        """Fields that are moved, not set: counts are added, instants only go forward."""
        self.directory_keys = tuple(
            DirectoryKey(at, f"{stored.name}.{field.name}")
            for at, field in enumerate(every)
            if field.policy.index is IndexScope.SYSTEM
        )
        self.sealing = sealing_field(stored)
        """The column whose cell seals the bound columns, if there are any."""
        self.binder = Binder([field for field in held if field.policy.bound])
        self.final = next((at for at, field in enumerate(every) if field.policy.final), None)
        """Where in `fields` the one stands that, once set, says that the row is over."""
        self.values: Callable[[A], tuple[Any, ...]] = attrgetter(*self.fields)
        self._written = tuple(map(self._columns_of, every))
        self._writers = tuple(map(self._writer, every))
        if self.sealing == SEAL:
            self.owned += (len(self.fields),)
            self._written += ((self.table.c[SEAL],),)
            self._writers += (self._seals(SEAL, lambda _: b""),)
        self._sealing_at = (*self.fields, SEAL).index(self.sealing) if self.sealing else None
        self._bound_at = tuple(self.fields.index(name) for name in self.binder.names)

    def written(self, places: Iterable[int]) -> list[sa.Column[Any]]:
        """Return the columns that hold some fields, as `encode` appends their values."""
        return [column for at in places for column in self._written[at]]

    def listed(self, aggregate: A) -> tuple[bool, ...]:
        """Tell whether the directory leads to an aggregate, by each of `directory_keys`."""
        return tuple([aggregate.is_listed_by(self.fields[key.at]) for key in self.directory_keys])

    def changed(self, aggregate: A, before: tuple[Any, ...]) -> tuple[int, ...]:
        """Return where in `fields` an aggregate differs from what it was loaded as, in order."""
        pairs = zip(self.values(aggregate), before, strict=True)
        return tuple([at for at, (now, then) in enumerate(pairs) if now is not then and now != then])

    def with_seal(self, places: tuple[int, ...]) -> tuple[int, ...]:
        """Return the places to write when these changed and the version rises: the seal holds both."""
        if self._sealing_at is None or self._sealing_at in places:
            return places
        return tuple(sorted((*places, self._sealing_at)))

    def encode(self, aggregate: A, places: Iterable[int], keys: Keys, version: int, into: list[Any]) -> None:
        """Append the column values of some fields of the row that will have this version."""
        values, writers, row_id = self.values(aggregate), self._writers, aggregate.id.bytes  # type: ignore[attr-defined]  # every stored aggregate has an id
        if aggregate.altered:
            bound = ALTERED
        else:
            bound = (
                self.binder.data([values[at] for at in self._bound_at], version) if self._bound_at else b""
            )
        for at in places:
            write = writers[at]
            if write is None:
                into.append(values[at])
            else:
                write(into, values[at] if at < len(values) else b"", row_id, keys, bound)

    def _columns_of(self, field: Field) -> tuple[sa.Column[Any], ...]:
        columns = self.table.c
        itself = () if field.policy.kind is StorageKind.INDEX else (columns[field.name],)
        index = index_column(field)
        return itself if index is None else (*itself, columns[index])

    def _writer(self, field: Field) -> Writer | None:
        purpose, indexed = f"{self.name}.{field.name}", index_column(field) is not None
        if get_origin(field.type) is frozenset:
            return lambda into, value, *_: into.append(sorted(value))
        if field.policy.kind is StorageKind.INDEX:
            if not indexed:
                return lambda *_: None  # it stands in the directory only
            return lambda into, value, _id, keys, _bound: into.append(keys.account_index(purpose, value))
        if field.policy.kind is not StorageKind.SEALED:
            return None
        seal = self._seals(field.name, plain_form(field.type))
        if not indexed:
            return seal

        def seal_and_index(into: list[Any], value: Any, row_id: bytes, keys: Keys, bound: bytes) -> None:  # noqa: ANN401 - text or bytes
            seal(into, value, row_id, keys, bound)
            into.append(None if value is None else keys.account_index(purpose, value))

        return seal_and_index

    def _seals(self, column: str, plain: Callable[[Any], bytes]) -> Writer:
        table, binds = self.name, column == self.sealing

        def seal(into: list[Any], value: Any, row_id: bytes, keys: Keys, bound: bytes) -> None:  # noqa: ANN401 - text or bytes
            if value is None:
                into.append(None)
            else:
                cipher = keys.cipher.column(table, column)
                into.append(
                    cipher.seal(row_id, plain(value), bound) if binds else cipher.seal(row_id, plain(value))
                )

        return seal


CODECS: Mapping[type[Aggregate], Codec[Any]] = MappingProxyType(
    {of: Codec(of, stored, TABLES.tables[stored.name]) for of, stored in BY_TYPE.items()}
)


def codec(of: type[A]) -> Codec[A]:
    """Return the codec of a type of aggregate."""
    return CODECS[of]
