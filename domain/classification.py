"""How each field of an aggregate is held at rest: derived from its type, spelled out only where it differs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from domain.kernel import Aggregate, CarrierRef
from domain.values import Country, PersonalText


class StorageKind(StrEnum):
    """The only shapes a value may take at rest. There is no free text."""

    ID = "id"
    REF = "ref"
    TIME = "time"
    ENUM = "enum"
    COUNT = "count"
    INDEX = "index"
    SEALED = "sealed"


class IndexScope(StrEnum):
    """Under which key a value's blind index is made, and so how far equality can be seen."""

    SYSTEM = "system"
    """The system key: the global directory finds the account by it (own number, e-mail, session token)."""
    ACCOUNT = "account"
    """The account's key: equality never links two accounts, and dies with the key."""


@dataclass(frozen=True, slots=True)
class StoragePolicy:
    """How one field is held: its kind, the clause of PRIVACY.md that allows it, whether the export shows it.

    `index`: besides (or, for kind INDEX, instead of) the value a blind index is held, under that scope's key.
    `bound`: the plain value decides something, so it is authenticated together with the row's sealed cell. One that is
    added to a table that has rows comes after the others and is optional: the seals there are stay good.
    `final`: once it is set it stays so, and no earlier state of the row is to come back.
    `relative`: changes are applied to the row as it stands (counts are added, instants only move forward) and
    do not raise the row's version, unless a count falls to zero: nobody takes from what was emptied meanwhile.
    """

    kind: StorageKind
    clause: str
    exported: bool = True
    index: IndexScope | None = None
    bound: bool = False
    final: bool = False
    relative: bool = False


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What a field says of itself in `Annotated`; what it leaves out follows from its type and its aggregate."""

    clause: str | None = None
    exported: bool | None = None
    index: IndexScope | None = None
    readable: bool = True
    bound: bool = False
    final: bool = False
    relative: bool = False
    sealed: bool = False


def held(
    clause: str | None = None,
    *,
    exported: bool | None = None,
    index: IndexScope | None = None,
    readable: bool = True,
    bound: bool = False,
    final: bool = False,
    relative: bool = False,
    sealed: bool = False,
) -> FieldRule:
    """Return the exceptions for one field. Not `readable`: only its blind index is held, never the value.

    What is `final` is bound, too. `sealed`: what would be held in clear by its type is held as ciphertext.
    """
    return FieldRule(clause, exported, index, readable, bound or final, final, relative, sealed)


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field: its name, its type in the domain, whether it may be missing, and how it is held."""

    name: str
    type: Any
    optional: bool
    policy: StoragePolicy


def fields_of(aggregate: type[Aggregate]) -> tuple[Field, ...]:
    """Return the fields an aggregate keeps at rest, in order of declaration. Raises TypeError for a shape unknown."""
    hints = get_type_hints(aggregate, include_extras=True)
    own = {field.name for field in fields(Aggregate)}
    return tuple(
        _field(field.name, hints[field.name], aggregate.clause)
        for field in fields(aggregate)
        if field.name not in own
    )


def _field(name: str, hint: Any, clause: str) -> Field:  # noqa: ANN401 - a type annotation can be anything
    rule = FieldRule()
    if get_origin(hint) is Annotated:
        hint, rule = get_args(hint)[:2]
    optional = get_origin(hint) in {Union, UnionType}
    if optional:
        (hint,) = (arg for arg in get_args(hint) if arg is not type(None))
    kind = StorageKind.SEALED if rule.sealed else kind_of(hint) if rule.readable else StorageKind.INDEX
    exported = rule.exported
    if exported is None:  # whose record it is goes without saying in one's own export
        exported = name != "account_id" and kind is not StorageKind.INDEX
    policy = StoragePolicy(
        kind, rule.clause or clause, exported, rule.index, rule.bound, rule.final, rule.relative
    )
    return Field(name, hint, optional, policy)


def kind_of(of: Any) -> StorageKind:  # noqa: ANN401 - a type annotation can be anything
    """Return the kind in which values of a type are held. Raises TypeError for a type that has none."""
    if of is CarrierRef:
        return StorageKind.REF
    of = getattr(of, "__supertype__", of)  # an id is a NewType of UUID
    if get_origin(of) is frozenset:
        return kind_of(get_args(of)[0])
    if isinstance(of, type):
        for base, kind in _KINDS:
            if issubclass(of, base):
                return kind
    raise TypeError(of)


_KINDS: tuple[tuple[type, StorageKind], ...] = (
    (UUID, StorageKind.ID),
    (datetime, StorageKind.TIME),
    (StrEnum, StorageKind.ENUM),
    (Country, StorageKind.ENUM),
    (int, StorageKind.COUNT),
    (PersonalText, StorageKind.SEALED),
    (bytes, StorageKind.SEALED),
)
