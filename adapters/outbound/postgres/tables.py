"""The tables, built from the inventory: every column is of one kind, and the database itself holds it to that.

PostgreSQL parses every CHECK of a table anew for every statement: one for each column made an insert four times as
dear. So closed sets are enum types, references are short, and a check is left where it counts: a plaintext is refused
where a ciphertext belongs.

There are no foreign keys. All rows of an account are reached by its id alone and erased by the inventory, which is
counted afterwards; a key would lock a parent row for every child written. What it would guard against, a row that
outlives its account, is refused once a commit instead (see flush.py). `account_id` leads every key, so the schema
shards by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType
from typing import Any, get_args, get_origin

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from application.inventory import INVENTORY, Column, Stored
from domain.audit import AuditKind
from domain.erasure import Step
from domain.kernel import StorageKind
from domain.lines import HOLDING
from domain.values import Country

TABLES = sa.MetaData()

_TYPES: dict[StorageKind, Any] = {
    StorageKind.ID: postgresql.UUID(),
    StorageKind.REF: sa.String(64),
    StorageKind.TIME: postgresql.TIMESTAMP(timezone=True),
    StorageKind.COUNT: sa.Integer(),
    StorageKind.INDEX: postgresql.BYTEA(),
    StorageKind.SEALED: postgresql.BYTEA(),
}
_SEALED = "{0} < '\\x02'"
"""Every sealed blob begins with the byte 1, and no text does."""


def companion(column: Column) -> str | None:
    """Return the name of the fingerprint that a sealed column is found by, if it has one."""
    return f"{column.name}_index" if column.kind is StorageKind.SEALED and column.policy.found else None


def listed(values: Iterable[str]) -> str:
    """Return the members of a closed set as an SQL list, in order of the alphabet."""
    return ", ".join(f"'{value}'" for value in sorted(values))


def closed_set(of: Any) -> str | None:  # noqa: ANN401 - a type annotation
    """Return the name of the enum type for a type of ours, or for a set of its members; None when it is none."""
    if get_origin(of) is frozenset:
        return f"{closed_set(get_args(of)[0])}[]"
    if isinstance(of, type) and issubclass(of, StrEnum):
        return re.sub(r"(?<!^)(?=[A-Z])", "_", of.__name__).lower()
    return None


def _enum(of: Any) -> Any:  # noqa: ANN401 - a type annotation in, an SQL type out
    name = closed_set(of)
    if name is None:
        return sa.String(2)
    if name.endswith("[]"):
        return postgresql.ARRAY(_enum(get_args(of)[0]))
    return postgresql.ENUM(*(member.value for member in of), name=name, metadata=TABLES)


def _column(
    table: str,
    name: str,
    kind: StorageKind,
    of: Any = None,  # noqa: ANN401 - a type annotation
    *,
    optional: bool = False,
    key: bool = False,
) -> sa.Column[Any]:
    """Declare one column of one kind. `of` is the closed set of an enum."""
    check = _SEALED if kind is StorageKind.SEALED else "{0} ~ '^[A-Z]{{2}}$'" if of is Country else None
    checks = [sa.CheckConstraint(check.format(name), name=f"{table}_{name}_is_{kind}")] if check else []
    shape = _enum(of) if kind is StorageKind.ENUM else _TYPES[kind]
    return sa.Column(name, shape, *checks, nullable=optional, primary_key=key, info={"kind": kind})


def _table(stored: Stored) -> sa.Table:
    """Build the table of one kind of record."""
    name, keys, columns = stored.name, {stored.owner, "id"}, []
    for column in stored.columns:
        # What is held as a fingerprint only cannot be read back; that is why it may be None. At rest it is there.
        optional = column.optional and column.kind is not StorageKind.INDEX
        columns.append(
            _column(name, column.name, column.kind, column.type, optional=optional, key=column.name in keys)
        )
        if index := companion(column):
            columns.append(_column(name, index, StorageKind.INDEX, optional=optional))
    return sa.Table(name, TABLES, *columns, _column(name, "version", StorageKind.COUNT))


for _stored in INVENTORY:
    _table(_stored)


def _index(table: str, *columns: str, unique: bool = False, where: str | None = None) -> None:
    """Declare an index; a column may be followed by DESC."""
    of = TABLES.tables[table].c
    made = [of[name.removesuffix(" DESC")].desc() if name.endswith(" DESC") else of[name] for name in columns]
    name = "_".join((table, "by", *(column.removesuffix(" DESC").removesuffix("_id") for column in columns)))
    sa.Index(name, *made, unique=unique, postgresql_where=None if where is None else sa.text(where))


_LIVE = "deleted_at IS NULL"
_index("accounts", "email_index", unique=True)
_index("accounts", "erase_at", where="erase_at IS NOT NULL")
_index("accounts", "created_at", where="state IN ('erasing', 'unverified')")
_index("sessions", "token", unique=True)
_index("sessions", "revoked_at", where="revoked_at IS NOT NULL")
_index("phone_lines", "number_index", unique=True, where=f"state IN ({listed(HOLDING)})")
_index("conversations", "account_id", "line_id", "peer_index", unique=True, where=_LIVE)
_index("conversations", "account_id", "last_at DESC", "id DESC", where=_LIVE)
_index("conversations", "account_id", "line_id", "last_at DESC", "id DESC", where=_LIVE)
_index("messages", "account_id", "conversation_id", "id DESC")
_index("messages", "account_id", "ref", unique=True, where="ref IS NOT NULL")
_index("idempotency_records", "account_id", "key", unique=True)
_index("idempotency_records", "expires_at")
_index("exports", "expires_at", where="expires_at IS NOT NULL")
_index("export_parts", "account_id", "export_id", "position", unique=True)

AUDIT_LOG = sa.Table(
    "audit_log", TABLES,
    _column("audit_log", "id", StorageKind.ID, key=True),
    sa.Column("day", sa.Date(), nullable=False, info={"kind": StorageKind.TIME}),
    _column("audit_log", "kind", StorageKind.ENUM, AuditKind),
    _column("audit_log", "commitment", StorageKind.INDEX),
)  # fmt: skip
"""The public half of the audit log. Append-only: a trigger refuses everything but INSERT."""

ERASURES = sa.Table(
    "erasures", TABLES,
    _column("erasures", "account_id", StorageKind.ID, key=True),
    _column("erasures", "began_at", StorageKind.TIME),
    _column("erasures", "done", StorageKind.ENUM, Step, optional=True),
    *(_column("erasures", name, StorageKind.COUNT) for name in ("texts", "numbers", "rows", "messages_left")),
)  # fmt: skip
"""How far each unfinished erasure has come. The row goes when the erasure is finished."""


_LOGGED = {
    "id": StorageKind.COUNT,
    "created": StorageKind.TIME,
    "status": StorageKind.ENUM,
    "priority": StorageKind.COUNT,
    "entrypoint": StorageKind.ENUM,
}

COLUMNS = MappingProxyType({
    **{table.name: {column.name: column.info["kind"] for column in table.c} for table in TABLES.sorted_tables},
    "pgqueuer": {  # `payload` is two ids
        **_LOGGED, "queue_manager_id": StorageKind.ID, "updated": StorageKind.TIME, "heartbeat": StorageKind.TIME,
        "execute_after": StorageKind.TIME, "payload": StorageKind.ID, "headers": StorageKind.ENUM, "attempts":
        StorageKind.COUNT,
        "slot": StorageKind.COUNT,
    },
    "pgqueuer_log": {  # `traceback` is the code of a failure; a check refuses an actual one
        **_LOGGED, "job_id": StorageKind.COUNT, "traceback": StorageKind.ENUM, "aggregated": StorageKind.ENUM,
    },
    "pgqueuer_statistics": {**_LOGGED, "count": StorageKind.COUNT},
    "alembic_version": {"version_num": StorageKind.REF},
})  # fmt: skip
"""Every table of the database, with the kind of each column. What is not declared here fails the build."""
