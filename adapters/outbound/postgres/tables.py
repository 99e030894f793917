"""The store's tables, built from the inventory: every column is of one kind, and the database holds it to that.

PostgreSQL parses every CHECK of a table anew for every statement: one for each column made an insert four times as
slow. So closed sets are enum types, references are short, and a check is left where it counts: a plaintext is refused
where a ciphertext belongs.

The schema shards by account (docs/adr/0009): `account_id` leads every key of every table but the directory, which is
what finds the account, the limits, and the public half of the audit log, which names nobody. There are no foreign keys:
all rows of an account are reached by its id alone and erased by the inventory, which is counted afterwards. What a key
would guard against, a row that outlives its account, is refused once a commit instead (see flush.py).
"""

from __future__ import annotations

import re
from enum import StrEnum
from types import MappingProxyType
from typing import Any, get_args, get_origin

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from application.inventory import INVENTORY, Stored
from domain.audit import AuditKind
from domain.classification import Field, IndexScope, StorageKind
from domain.data_requests import DataRequestKind, DataRequestOutcome
from domain.residue import Holding, ResidueState
from domain.values import Country

TABLES = sa.MetaData()
SEAL = "seal"
"""The cell that seals a row's bound columns where no sealed column is always there to do it."""
WORD = 32
"""The most letters of a word that is a code of ours: the name of a job or of an erasure's step."""

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

_CHECKS: dict[Any, str] = {Country: "{0} ~ '^[A-Z]{{2}}$'", str: "{0} ~ '^[a-z_.]+$'"}
"""What keeps content out of columns that are no enum type: an open set of words needs no migration for a new one."""


def index_column(field: Field) -> str | None:
    """Return the column of a field's blind index within its account, if it has one.

    The blind index under the system key is no column: it stands in the directory.
    """
    if field.policy.index is not IndexScope.ACCOUNT:
        return None
    return field.name if field.policy.kind is StorageKind.INDEX else f"{field.name}_index"


def sealing_field(stored: Stored) -> str | None:
    """Return the column whose cell seals the bound columns of a row; None where nothing is bound."""
    if not any(field.policy.bound for field in stored.columns):
        return None
    always = (f for f in stored.columns if f.policy.kind is StorageKind.SEALED and not f.optional)
    return next((field.name for field in always), SEAL)


def _enum(of: Any) -> Any:  # noqa: ANN401 - a type annotation in, an SQL type out
    if get_origin(of) is frozenset:
        return postgresql.ARRAY(_enum(get_args(of)[0]))
    if issubclass(of, StrEnum):
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", of.__name__).lower()
        return postgresql.ENUM(*(member.value for member in of), name=name, metadata=TABLES)
    return sa.String(2)


def _column(
    table: str,
    name: str,
    kind: StorageKind,
    of: Any = None,  # noqa: ANN401 - a type annotation
    *,
    optional: bool = False,
    key: bool = False,
    default: str | None = None,
) -> sa.Column[Any]:
    """Declare one column of one kind. `of` is the closed set of an enum."""
    check = _SEALED if kind is StorageKind.SEALED else _CHECKS.get(of)
    checks = [sa.CheckConstraint(check.format(name), name=f"{table}_{name}_is_{kind}")] if check else []
    shape = sa.String(WORD) if of is str else _enum(of) if kind is StorageKind.ENUM else _TYPES[kind]
    given = None if default is None else sa.text(default)
    info = {"kind": kind}
    return sa.Column(
        name,
        shape,
        *checks,
        nullable=optional,
        primary_key=key,
        server_default=given,
        info=info,
        autoincrement=False,
    )


def table_of(stored: Stored, metadata: sa.MetaData = TABLES) -> sa.Table:
    """Build the table of one kind of record."""
    name, keys, columns = stored.name, {stored.owner, "id"}, []
    for field in stored.columns:
        kind, index = field.policy.kind, index_column(field)
        if kind is not StorageKind.INDEX:
            columns.append(
                _column(name, field.name, kind, field.type, optional=field.optional, key=field.name in keys)
            )
        if index is not None:
            # What is held as an index only cannot be read back; that is why it may be None. At rest it is there.
            optional = field.optional and kind is not StorageKind.INDEX
            columns.append(_column(name, index, StorageKind.INDEX, optional=optional))
    if sealing_field(stored) == SEAL:
        columns.append(_column(name, SEAL, StorageKind.SEALED))
    return sa.Table(name, metadata, *columns, _column(name, "version", StorageKind.COUNT))


for _stored in INVENTORY:
    table_of(_stored)

SEALED_UNDER = _column("accounts", "sealed_under", StorageKind.COUNT, default="1")
"""The version of the account's key under which is sealed what is written: it matters while there are two."""
TABLES.tables["accounts"].append_column(SEALED_UNDER)

DIRECTORY = sa.Table(
    "directory", TABLES,
    _column("directory", "kind", StorageKind.ENUM, str, key=True),
    _column("directory", "key", StorageKind.INDEX, key=True),
    _column("directory", "account_id", StorageKind.ID),
    _column("directory", "subject_id", StorageKind.ID),
)  # fmt: skip
"""Who is meant by an address, a token, a number of ours. `kind` is "table.column", `key` a blind index (system key)."""


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    LEASED = "leased"
    DEAD = "dead"


JOBS = sa.Table(
    "jobs", TABLES,
    _column("jobs", "account_id", StorageKind.ID, key=True),
    _column("jobs", "id", StorageKind.ID, key=True),
    _column("jobs", "name", StorageKind.ENUM, str),
    _column("jobs", "subject", StorageKind.ID),
    _column("jobs", "state", StorageKind.ENUM, JobState, default="'waiting'"),
    _column("jobs", "due_at", StorageKind.TIME),
    _column("jobs", "queued_at", StorageKind.TIME, default="now()"),
    _column("jobs", "attempts", StorageKind.COUNT, default="0"),
    _column("jobs", "token", StorageKind.COUNT, default="0"),
    sa.Column("failure", sa.String(64), nullable=True, info={"kind": StorageKind.ENUM}),
)  # fmt: skip
"""Work to be done. `due_at` is when to look at it next: a waiting job's time, or the end of a lease.

`token` rises with each lease; whoever holds an older one ends nothing. `failure` is a code.
"""

AUDIT_RECENT = sa.Table(
    "audit_recent", TABLES,
    _column("audit_recent", "commitment", StorageKind.INDEX, key=True),
    _column("audit_recent", "kind", StorageKind.ENUM, AuditKind),
    sa.Column("day", sa.Date(), nullable=False, info={"kind": StorageKind.TIME}),
    _column("audit_recent", "seal", StorageKind.INDEX),
    _column("audit_recent", "position", StorageKind.COUNT, optional=True),
    _column("audit_recent", "hash", StorageKind.INDEX, optional=True),
)  # fmt: skip
"""The public half of the audit log that is younger than a day or two. `seal` is a keyed hash: only we write it.

Append-only, by trigger and by privilege (see schema.py); a function of the owner's chains what is new, another one
draws it into the lasting chains (see audit_log.py).
"""

AUDIT_LOG = sa.Table(
    "audit_log", TABLES,
    _column("audit_log", "chain", StorageKind.COUNT, key=True),
    _column("audit_log", "position", StorageKind.COUNT, key=True),
    sa.Column("day", sa.Date(), nullable=False, info={"kind": StorageKind.TIME}),
    _column("audit_log", "kind", StorageKind.ENUM, AuditKind),
    _column("audit_log", "commitment", StorageKind.INDEX),
    _column("audit_log", "hash", StorageKind.INDEX),
)  # fmt: skip
"""The lasting chains of the audit log's public half. The application can only read it."""

AUDIT_HEADS = sa.Table(
    "audit_heads", TABLES,
    _column("audit_heads", "chain", StorageKind.COUNT, key=True),
    _column("audit_heads", "length", StorageKind.COUNT, key=True),
    _column("audit_heads", "hash", StorageKind.INDEX),
    _column("audit_heads", "signed_at", StorageKind.TIME),
    _column("audit_heads", "signature", StorageKind.INDEX),
)  # fmt: skip
"""How far each chain went at an instant, signed."""

ERASURES = sa.Table(
    "erasures", TABLES,
    _column("erasures", "account_id", StorageKind.ID, key=True),
    _column("erasures", "began_at", StorageKind.TIME),
    _column("erasures", "done", StorageKind.ENUM, str, optional=True),
    _column("erasures", "done_at", StorageKind.TIME, optional=True),
    _column("erasures", "seal", StorageKind.INDEX),
)  # fmt: skip
"""How far each unfinished erasure has come; it goes with the last step. `seal` is a keyed hash: only we write it."""

ERASURE_COUNTS = sa.Table(
    "erasure_counts", TABLES,
    _column("erasure_counts", "account_id", StorageKind.ID, key=True),
    _column("erasure_counts", "name", StorageKind.ENUM, str, key=True),
    _column("erasure_counts", "count", StorageKind.COUNT),
)  # fmt: skip
"""What an unfinished erasure has deleted, by the words of the receipt: a new step needs no migration."""

RESIDUE = sa.Table(
    "residue", TABLES,
    _column("residue", "account_id", StorageKind.ID, key=True),
    _column("residue", "holding", StorageKind.ENUM, Holding, key=True),
    _column("residue", "ref", StorageKind.REF, key=True),
    _column("residue", "line_id", StorageKind.ID, optional=True),
    _column("residue", "state", StorageKind.ENUM, ResidueState),
    _column("residue", "gone_at", StorageKind.TIME, optional=True),
    _column("residue", "seal", StorageKind.INDEX),
)  # fmt: skip
"""What an unfinished erasure asks providers for. `seal` is a keyed hash of the row: only we write them."""

LIMITS = sa.Table(
    "limits", TABLES,
    _column("limits", "key", StorageKind.INDEX, key=True),
    _column("limits", "full_at", StorageKind.TIME),
)  # fmt: skip
"""What was taken of a limit: by when all of it is back. `key` is a blind index (system key) of the limit and of whose.

A key is its own shard, as in the directory.
"""

LEDGER_PLACE = sa.Table(
    "ledger_place", TABLES,
    _column("ledger_place", "ledger", StorageKind.COUNT, key=True),
    _column("ledger_place", "number", StorageKind.COUNT),
    _column("ledger_place", "head", StorageKind.INDEX),
)  # fmt: skip
"""How far the erasure ledger had come: `head` is a keyed hash of its first `number` records."""

CATCH_UPS = sa.Table(
    "catch_ups", TABLES,
    _column("catch_ups", "carrier", StorageKind.ENUM, str, key=True),
    _column("catch_ups", "number", StorageKind.COUNT),
    _column("catch_ups", "until", StorageKind.TIME),
    _column("catch_ups", "caught_up_to", StorageKind.TIME, optional=True),
)  # fmt: skip
"""Whose turn it is to catch up with each carrier, and how far that has come."""


DATA_REQUESTS = sa.Table(
    "data_requests", TABLES,
    _column("data_requests", "about", StorageKind.INDEX, key=True),
    _column("data_requests", "id", StorageKind.ID, key=True),
    _column("data_requests", "kind", StorageKind.ENUM, DataRequestKind),
    _column("data_requests", "received_at", StorageKind.TIME),
    _column("data_requests", "closed_at", StorageKind.TIME, optional=True),
    _column("data_requests", "outcome", StorageKind.ENUM, DataRequestOutcome, optional=True),
)  # fmt: skip
"""Requests that came by letter. `about` is a blind index (system key) of an account's id, and its own shard."""


def _index(table: str, *columns: str, unique: bool = False, where: str | None = None) -> None:
    """Declare an index; a column may be followed by DESC."""
    of = TABLES.tables[table].c
    made = [of[name.removesuffix(" DESC")].desc() if name.endswith(" DESC") else of[name] for name in columns]
    name = "_".join((table, "by", *(column.removesuffix(" DESC").removesuffix("_id") for column in columns)))
    sa.Index(name, *made, unique=unique, postgresql_where=None if where is None else sa.text(where))


_LIVE = "deleted_at IS NULL"
_index("accounts", "erase_at", where="state = 'pending_deletion'")
_index("accounts", "created_at", where="state = 'unverified'")
_index("accounts", "unused_since", where="unused_since IS NOT NULL AND warned_at IS NULL")
_index("accounts", "warned_at", where="warned_at IS NOT NULL AND warned_again_at IS NULL")
_index("accounts", "warned_again_at", where="warned_again_at IS NOT NULL")
_index("sessions", "ends_at")
_index("sessions", "revoked_at", where="revoked_at IS NOT NULL")
_index("conversations", "account_id", "line_id", "peer_index", unique=True, where=_LIVE)
_index("conversations", "account_id", "last_at DESC", "id DESC", where=_LIVE)
_index("conversations", "account_id", "line_id", "last_at DESC", "id DESC", where=_LIVE)
_index("messages", "account_id", "conversation_id", "id DESC")
_index("voicemails", "account_id", "ref")
_index("greetings", "account_id", "line_id")
_index("voicemails", "account_id", "line_id", "id DESC")
_index("messages", "account_id", "ref", unique=True, where="ref IS NOT NULL")
_index("media", "account_id", "message_id", "position")
_index("calls", "account_id", "id DESC", where=_LIVE)
_index("calls", "account_id", "ref", unique=True, where="ref IS NOT NULL")
_index("opt_outs", "account_id", "line_id", "peer", unique=True)
_index("contact_numbers", "account_id", "number", "place", unique=True)
_index("contact_numbers", "account_id", "contact_id")
_index("search_segments", "account_id", "through")
_index("blocked_numbers", "account_id", "number_index", unique=True)
_index("idempotency_records", "account_id", "key", unique=True)
_index("idempotency_records", "expires_at", where="expires_at IS NOT NULL")
_index("exports", "account_id", unique=True, where="state = 'building'")
_index("exports", "expires_at", where="expires_at IS NOT NULL")
_index("export_parts", "account_id", "export_id", "position", unique=True)
_index("live_events", "at")
_index("webhook_deliveries", "account_id", "endpoint_id", "at DESC", "id DESC")
_index("webhook_deliveries", "at")
_index("directory", "account_id", "subject_id")
_index("jobs", "due_at", where="state <> 'dead'")
_index("jobs", "name", "due_at", where="state <> 'dead'")
_index("limits", "full_at")
_index("data_requests", "about", "kind", unique=True, where="closed_at IS NULL")
_index("data_requests", "closed_at", where="closed_at IS NOT NULL")
_index("audit_recent", "position")
_index("audit_log", "commitment")

TENANT_TABLES = (*(stored.name for stored in INVENTORY), "jobs", "erasures", "erasure_counts", "residue")
"""The tables that are sharded by account."""

COLUMNS = MappingProxyType({
    **{table.name: {column.name: column.info["kind"] for column in table.c} for table in TABLES.sorted_tables},
    "alembic_version": {"version_num": StorageKind.REF},
})  # fmt: skip
"""Every table of the database, with the kind of each column. What is not declared here fails the build."""
