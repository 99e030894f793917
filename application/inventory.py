"""The inventory: every kind of record Pico keeps about a person, derived from the fields that declare it.

One registry feeds the tables, the export, the erasure, the data map in PRIVACY.md and the schema check.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from domain.accounts import Account
from domain.audit import AuditEntry
from domain.exports import Export, ExportPart
from domain.idempotency import IdempotencyRecord
from domain.kernel import Aggregate, StorageKind, StoragePolicy
from domain.lines import PhoneLine
from domain.messages import Conversation, Message
from domain.sessions import Session


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a record: its name, its type in the domain, whether it may be missing, how it is held."""

    name: str
    type: Any
    optional: bool
    policy: StoragePolicy

    @property
    def kind(self) -> StorageKind:
        """How it is held at rest."""
        return self.policy.kind

    @property
    def clause(self) -> str:
        """The clause of PRIVACY.md that allows it."""
        return self.policy.clause

    @property
    def exported(self) -> bool:
        """Whether the person's export shows it."""
        return self.policy.exported


@dataclass(frozen=True)
class Stored:
    """One kind of record. Every one of them is erased with the account: rows deleted, keys destroyed before."""

    of: type[Aggregate]

    @property
    def name(self) -> str:
        """The name it goes by in tables and exports."""
        return self.of.stored_as

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Every declared field, in order of declaration."""
        hints = get_type_hints(self.of, include_extras=True)
        return tuple(
            _column(f.name, hints[f.name]) for f in fields(self.of) if get_origin(hints[f.name]) is Annotated
        )

    @cached_property
    def exported(self) -> tuple[str, ...]:
        """Names of the columns a person's export shows; empty when the record is none of their business."""
        return tuple(column.name for column in self.columns if column.exported)

    @property
    def owner(self) -> str:
        """The column that names the account."""
        return "id" if self.of is Account else "account_id"


def _column(name: str, hint: Any) -> Column:  # noqa: ANN401 - a type annotation can be anything
    """Read one `Annotated[...]` field."""
    bare, held = get_args(hint)[:2]
    optional = get_origin(bare) in {Union, UnionType}
    if optional:
        (bare,) = (arg for arg in get_args(bare) if arg is not type(None))
    return Column(name, bare, optional, held)


INVENTORY: tuple[Stored, ...] = tuple(
    Stored(of)
    for of in (
        Account,
        Session,
        PhoneLine,
        Conversation,
        Message,
        IdempotencyRecord,
        Export,
        ExportPart,
        AuditEntry,
    )
)
"""In the order of the export, and of erasure: the account's own row goes first."""

BY_TYPE: dict[type[Aggregate], Stored] = {stored.of: stored for stored in INVENTORY}
