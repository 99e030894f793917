"""From rows to aggregates, to the rows of lists, and to plain values: what was sealed is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import cache, partial
from operator import itemgetter
from typing import Any, Generic, TypeVar, get_args, get_origin
from uuid import UUID

from adapters.outbound.postgres.codec import A, Codec
from adapters.outbound.postgres.sealing import AccountCipher
from adapters.outbound.postgres.statements import readable
from adapters.outbound.postgres.tables import SEAL
from domain.classification import Field, StorageKind
from domain.kernel import SealBroken
from domain.values import PersonalText

R = TypeVar("R")
Row = Any
"""An asyncpg record, or a slice of one: values by position."""
VERSION = "version"
WHOLE: frozenset[str] = frozenset()
Opened = tuple[list[Any], frozenset[str]]
"""The values of a row, and the names of those that do not open."""
Broken = Callable[[str, UUID, frozenset[str]], None]
"""Told of a broken row by table, id and columns. It raises, or the row is read without them."""


def refuse(_table: str, _row_id: UUID, _columns: frozenset[str]) -> None:
    """Raise SealBroken."""
    raise SealBroken


class Decoder:
    """Opens some columns of a table. A row is selected in order of `columns`: the names given, then what they need."""

    def __init__(self, codec: Codec[Any], names: Iterable[str]) -> None:
        asked = tuple(names)
        fields = {field.name: field for field in codec.readable}
        opens = [name for name in asked if name == SEAL or _is_sealed(fields.get(name))]
        binds = codec.sealing in opens
        needed = (("id",) if opens else ()) + ((*codec.binder.names, VERSION) if binds else ())
        every = tuple(dict.fromkeys((*asked, *needed)))
        self.asked = len(asked)
        self.names = every
        self.columns = tuple(readable(codec.table.c[name]) for name in every)
        self._table, self._binder = codec.name, codec.binder
        self._id = every.index("id") if opens else 0
        self._members = tuple(
            (at, read)
            for at, name in enumerate(asked)
            if name in fields and (read := _member(fields[name].type)) is not None
        )
        self._sealed = tuple(
            (at, name, bytes if name == SEAL else _opened(fields[name].type), binds and name == codec.sealing)
            for at, name in enumerate(asked)
            if name in opens
        )
        bound = [every.index(name) for name in codec.binder.names] if binds else []
        self._bound = itemgetter(*bound) if len(bound) > 1 else lambda values: [values[at] for at in bound]
        self._version = every.index(VERSION) if binds else 0
        final = codec.final is not None and codec.fields[codec.final]
        self._final = every.index(final) if binds and final else None
        """Where the field stands without which a row that is over is an earlier state of it."""

    def values(self, cipher: AccountCipher, broken: Broken = refuse) -> Callable[[Row], Opened]:
        """Return what opens a row: a list of the values asked for, then of those needed.

        Where a seal is broken it calls `broken`; if that lets it be, the values that do not open are None.
        """
        members, id_at, bound_of, version_at, data = (
            self._members, self._id, self._bound, self._version, self._binder.of_rows(),
        )  # fmt: skip
        sealed = [
            (at, cipher.column(self._table, name).open, make, binds) for at, name, make, binds in self._sealed
        ]

        ended, final_at = cipher.ended, self._final

        def opened(row: Row) -> Opened:
            values = list(row)
            unreadable = WHOLE
            # An earlier state of a row that is over opens, but nothing of it counts.
            put_back = ended and final_at is not None and row[final_at] is None and row[id_at].bytes in ended
            for at, unseal, make, binds in sealed:
                if (value := row[at]) is not None:
                    if put_back:
                        values[at], unreadable = None, unreadable | {self.names[at]}
                        continue
                    try:
                        beside = data(bound_of(row), row[version_at]) if binds else b""
                        values[at] = make(unseal(row[id_at].bytes, value, beside))
                    except SealBroken:
                        values[at], unreadable = None, unreadable | {self.names[at]}
            if unreadable:
                broken(self._table, values[id_at], unreadable)
            for at, read in members:
                if (value := values[at]) is not None:
                    values[at] = read(value)
            return values, unreadable

        return opened


class Aggregates(Generic[A]):
    """Loads whole aggregates of one type."""

    def __init__(self, codec: Codec[A]) -> None:
        self._codec = codec
        self.listed = codec.listed
        self._fields = tuple(field.name for field in codec.readable)
        seal = (SEAL,) if codec.sealing == SEAL else ()  # opened for what it proves: it holds nothing
        self._decoder = Decoder(codec, (*self._fields, *seal, VERSION))
        self.names, self.columns = self._decoder.names, self._decoder.columns
        self._hidden = (None,) * (len(codec.fields) - len(self._fields))

    def loader(
        self, cipher: AccountCipher, broken: Broken = refuse
    ) -> Callable[[Row], tuple[A, tuple[Any, ...]]]:
        """Return what makes an aggregate of a row, and its values as `Codec.changed` compares them."""
        of, names, hidden, sealing = self._codec.of, self._fields, self._hidden, self._codec.sealing
        opened, width = self._decoder.values(cipher, broken), len(names)
        ended, final = cipher.ended, self._codec.final

        def load(row: Row) -> tuple[A, tuple[Any, ...]]:
            values, unreadable = opened(row)
            aggregate = of(**dict(zip(names, values, strict=False)), version=values[-1])
            if unreadable:
                aggregate.unreadable, aggregate.altered = unreadable, sealing in unreadable
                if final is not None and values[final] is None:
                    aggregate.outdated = aggregate.id.bytes in ended  # type: ignore[attr-defined]  # every stored aggregate has an id
            return aggregate, (*values[:width], *hidden)

        return load

    def plain(
        self, cipher: AccountCipher, broken: Broken = refuse
    ) -> Callable[[Row], tuple[dict[str, Any], frozenset[str]]]:
        """Return what makes plain values by column name of a row, and tells which are missing: they do not open."""
        names, opened = self._fields, self._decoder.values(cipher, broken)

        def made(row: Row) -> tuple[dict[str, Any], frozenset[str]]:
            values, unreadable = opened(row)
            return {name: _plain(value) for name, value in zip(names, values, strict=False)}, unreadable

        return made


class Rows(Generic[R]):
    """Loads rows of a list: only the columns that an answer needs are selected and opened."""

    def __init__(self, codec: Codec[Any], of: Callable[..., R], names: tuple[str, ...]) -> None:
        self._of = of
        self._decoder = Decoder(codec, names)
        self.names, self.columns = self._decoder.names, self._decoder.columns

    def loader(self, cipher: AccountCipher, broken: Broken = refuse) -> Callable[[Row], R]:
        """Return what makes one of a row."""
        of, asked, opened = self._of, self._decoder.asked, self._decoder.values(cipher, broken)
        if asked == len(self.columns):
            return lambda row: of(*opened(row)[0])
        return lambda row: of(*opened(row)[0][:asked])


def _is_sealed(field: Field | None) -> bool:
    return field is not None and field.policy.kind is StorageKind.SEALED


@cache
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
