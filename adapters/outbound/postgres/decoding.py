"""From rows to aggregates, to the rows of lists, and to plain values: what was sealed is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cache, cached_property
from textwrap import indent
from typing import Any, Generic, TypeVar, get_args, get_origin
from uuid import UUID

import sqlalchemy as sa

from adapters.outbound.postgres.binding import KNOWN
from adapters.outbound.postgres.codec import A, Codec
from adapters.outbound.postgres.sealed_forms import opened_form
from adapters.outbound.postgres.sealing import AccountCipher
from adapters.outbound.postgres.statements import readable
from adapters.outbound.postgres.tables import SEAL
from adapters.outbound.postgres.written_out import written_out
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
    """Opens some columns of a table. A row is selected in order of `columns`: the names given, then what they need.

    In the code that it writes, the values are called by `prefix` and their place, and `{prefix}_broken` names those
    that do not open: `broken` was told of them, and they are None.
    """

    def __init__(self, codec: Codec[Any], names: Iterable[str], prefix: str = "v") -> None:
        asked = tuple(names)
        fields = {field.name: field for field in codec.readable}
        opens = [name for name in asked if name == SEAL or _is_sealed(fields.get(name))]
        binds = codec.sealing in opens
        needed = (("id",) if opens else ()) + ((*codec.binder.names, VERSION) if binds else ())
        self.names = tuple(dict.fromkeys((*asked, *needed)))
        times = {name for name, field in fields.items() if field.policy.kind is StorageKind.TIME}
        sent = times.intersection(needed).difference(asked)
        self.columns = tuple(_selected(codec.table.c[name], sent=name in sent) for name in self.names)
        called = {name: f"{prefix}{at}" for at, name in enumerate(self.names)}
        self.values = tuple(called.values())
        self.asked = self.values[: len(asked)]
        self.broken = f"{prefix}_broken"
        self.id = called.get("id", "")
        self.ciphers = {f"open_{called[name]}": (codec.name, name) for name in opens}
        """By what the code calls each: the column it opens."""
        self.known: dict[str, Any] = {"SealBroken": SealBroken, "WHOLE": WHOLE, **KNOWN}
        self.lines = [f"{self.broken} = WHOLE"]
        final = codec.fields[codec.final] if binds and codec.final is not None else None
        self.over = f"ended and {called[final]} is None and {self.id}.bytes in ended" if final else ""
        """Whether the row is an earlier state of one that is over: it would open, but nothing of it counts."""
        for name in opens:
            bound = ""
            if name == codec.sealing:
                bound = codec.binder.expression(
                    [called[one] for one in codec.binder.names], called[VERSION], sent
                )
            self._open(name, called[name], fields.get(name), bound)
        if opens:
            self.lines += [f"if {self.broken}:", f"    broken({codec.name!r}, {self.id}, {self.broken})"]
        for name in asked:
            if name in fields and name not in opens and (read := _member(fields[name].type)) is not None:
                self._read(called[name], fields[name], read)

    def _open(self, name: str, cell: str, field: Field | None, bound: str) -> None:
        opened = f"open_{cell}({self.id}.bytes, {cell}{', ' if bound else ''}{bound})"
        if field is not None and field.type is not bytes:
            self.known[f"of_{cell}"] = opened_form(field.type)
            opened = f"of_{cell}({opened}, 'utf-8')"
        put_back = [f"    if {self.over}:", "        raise SealBroken"] if self.over else []
        tried = [
            "try:",
            *put_back,
            f"    {cell} = {opened}",
            "except SealBroken:",
            f"    {cell}, {self.broken} = None, {self.broken} | {{{name!r}}}",
        ]
        optional = field is not None and field.optional
        self.lines += [f"if {cell} is not None:", indent("\n".join(tried), "    ")] if optional else tried

    def _read(self, value: str, field: Field, read: Callable[[Any], Any]) -> None:
        self.known[f"read_{value}"] = read
        condition = f"if {value} is not None: " if field.optional else ""
        self.lines.append(f"{condition}{value} = read_{value}({value})")


class Opener:
    """What opens rows of some decoders' columns, one after another's, as code of its own: `result` ends it.

    `given` are further values that the result refers to, the same for all rows.
    """

    def __init__(
        self,
        decoders: Iterable[Decoder],
        lines: Iterable[str],
        known: Mapping[str, Any],
        given: Iterable[str] = (),
    ) -> None:
        every = tuple(decoders)
        self._ciphers = [cipher for decoder in every for cipher in decoder.ciphers.values()]
        called = [name for decoder in every for name in decoder.ciphers]
        values = [value for decoder in every for value in decoder.values]
        row = ["def opened(row):", indent("\n".join([f"{', '.join(values)}, *_ = row", *lines]), "    ")]
        everything = {name: one for decoder in every for name, one in decoder.known.items()} | {**known}
        self._source = (("broken", "ended", *called, *given), [*row, "return opened"], everything)

    @cached_property
    def _bind(self) -> Callable[..., Callable[[Row], Any]]:
        """The code, compiled when the first row is there: most processes open rows of few kinds."""
        return written_out("bind", *self._source)  # type: ignore[no-any-return]  # it is written out

    def __call__(self, cipher: AccountCipher, broken: Broken, *given: object) -> Callable[[Row], Any]:
        """Return what opens a row of this account."""
        return self._bind(broken, cipher.ended, *(cipher.column(*of).open for of in self._ciphers), *given)


class Values:
    """Opens a row into a list of values, in order of `names`, and tells which do not open."""

    def __init__(self, codec: Codec[Any], names: Iterable[str]) -> None:
        decoder = Decoder(codec, names)
        self.names, self.columns = decoder.names, decoder.columns
        result = f"return [{', '.join(decoder.values)}], {decoder.broken}"
        self._opener = Opener([decoder], [*decoder.lines, result], {})

    def opener(self, cipher: AccountCipher, broken: Broken = refuse) -> Callable[[Row], Opened]:
        """Return what opens a row."""
        return self._opener(cipher, broken)


class Aggregates(Generic[A]):
    """Loads whole aggregates of one type."""

    def __init__(self, codec: Codec[A]) -> None:
        self.listed = codec.listed
        self._fields = tuple(field.name for field in codec.readable)
        seal = (SEAL,) if codec.sealing == SEAL else ()  # opened for what it proves: it holds nothing
        names = (*self._fields, *seal, VERSION)
        decoder = Decoder(codec, names)
        self.names, self.columns = decoder.names, decoder.columns
        values = decoder.values[: len(self._fields)]
        given = [f"{name}={value}" for name, value in zip(self._fields, values, strict=True)]
        before = [*values, *["None"] * (len(codec.fields) - len(self._fields))]
        outdated = []
        if codec.final is not None:
            outdated.append(
                f"    aggregate.outdated = {values[codec.final]} is None and {decoder.id}.bytes in ended"
            )
        lines = [
            *decoder.lines,
            f"aggregate = of({', '.join(given)}, version={decoder.asked[-1]})",
            f"if {decoder.broken}:",
            f"    aggregate.unreadable, aggregate.altered = {decoder.broken}, {codec.sealing!r} in {decoder.broken}",
            *outdated,
            f"return aggregate, ({', '.join(before)},)",
        ]
        self._opener = Opener([decoder], lines, {"of": codec.of})
        plain = map(_plain, codec.readable, values)
        row = ", ".join(f"{name!r}: {value}" for name, value in zip(self._fields, plain, strict=True))
        self._plain = Opener([decoder], [*decoder.lines, f"return {{{row}}}, {decoder.broken}"], {})

    def loader(
        self, cipher: AccountCipher, broken: Broken = refuse
    ) -> Callable[[Row], tuple[A, tuple[Any, ...]]]:
        """Return what makes an aggregate of a row, and its values as `Codec.changed` compares them."""
        return self._opener(cipher, broken)

    def plain(
        self, cipher: AccountCipher, broken: Broken = refuse
    ) -> Callable[[Row], tuple[dict[str, Any], frozenset[str]]]:
        """Return what makes plain values by column name of a row, and tells which are missing: they do not open."""
        return self._plain(cipher, broken)


class Rows(Generic[R]):
    """Loads rows of a list: only the columns that an answer needs are selected and opened.

    `of` is called with the values of `names`, then with the row of `beside` that an outer join found, or None, and at
    last with what the loader was `given` by these names for all rows.
    """

    def __init__(
        self,
        codec: Codec[Any],
        of: Callable[..., R],
        names: tuple[str, ...],
        *,
        beside: Rows[Any] | None = None,
        given: tuple[str, ...] = (),
        prefix: str = "v",
    ) -> None:
        self._decoder = decoder = Decoder(codec, names, prefix)
        self.names, self.columns = decoder.names, decoder.columns
        self._made, self._known = _made(of, decoder.asked, prefix)
        decoders, lines, known = [decoder], [*decoder.lines], dict(self._known)
        values = [*decoder.asked]
        if beside is not None:
            other = beside._decoder  # noqa: SLF001 - of its own kind
            decoders.append(other)
            self.columns += other.columns
            found = "\n".join([*other.lines, f"beside = {beside._made}"])  # noqa: SLF001 - of its own kind
            there = f"if {other.id} is not None and not ({decoder.over or False}):"
            lines += ["beside = None", there, indent(found, "    ")]
            known |= beside._known  # noqa: SLF001 - of its own kind
            values.append("beside")
        made, _ = _made(of, (*values, *given), prefix)
        self._opener = Opener(decoders, [*lines, f"return {made}"], known, given)

    def loader(self, cipher: AccountCipher, broken: Broken = refuse, *given: object) -> Callable[[Row], R]:
        """Return what makes one of a row."""
        return self._opener(cipher, broken, *given)


def _made(of: Callable[..., Any], values: Iterable[str], prefix: str) -> tuple[str, Mapping[str, Any]]:
    """Return what calls `of`, and what that refers to. A named tuple is made without its constructor: a third."""
    name, listed = f"{prefix}_of", ", ".join(values)
    if isinstance(of, type) and issubclass(of, tuple):
        return f"new({name}, ({listed},))", {name: of, "new": tuple.__new__}
    return f"{name}({listed})", {name: of}


def _selected(column: sa.Column[Any], *, sent: bool) -> sa.ColumnElement[Any]:
    return sa.func.timestamptz_send(column).label(column.name) if sent else readable(column)


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


def _plain(field: Field, value: str) -> str:
    """Return what makes a plain value of a field's: a text of whatever is one, a sorted list of a set."""
    if get_origin(field.type) is frozenset:
        made = f"sorted(map(str, {value}))"
    elif isinstance(field.type, type) and issubclass(field.type, str):
        made = f"str({value})"
    else:
        return value
    return f"None if {value} is None else {made}"
