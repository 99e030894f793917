"""The keyring's tables, in a database of their own."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from domain.classification import StorageKind

KEYRING_TABLES = sa.MetaData()


def _key_columns(table: str) -> list[Any]:
    """Return what a wrapped key is: its version, its random id (the encryption context), its master key, the blob."""
    shapes: dict[str, tuple[StorageKind, Any]] = {
        "version": (StorageKind.COUNT, sa.SmallInteger()),
        "key_id": (StorageKind.ID, postgresql.UUID()),
        "master": (StorageKind.REF, sa.String(2048)),
        "wrapped": (StorageKind.SEALED, postgresql.BYTEA()),
        "created_at": (StorageKind.TIME, postgresql.TIMESTAMP(timezone=True)),
    }
    return [
        *(
            sa.Column(
                name, shape, nullable=False, primary_key=name == "version", info={"kind": kind},
                server_default=sa.func.now() if name == "created_at" else None,
            )
            for name, (kind, shape) in shapes.items()
        ),
        sa.CheckConstraint("version > 0", name=f"{table}_version_is_positive"),
    ]  # fmt: skip


ACCOUNT_KEYS = sa.Table(
    "account_keys", KEYRING_TABLES,
    sa.Column("account_id", postgresql.UUID(), primary_key=True, info={"kind": StorageKind.ID}),
    *_key_columns("account_keys"),
    sa.Column("chain", postgresql.BYTEA(), nullable=True, info={"kind": StorageKind.SEALED}),
    sa.Index("ix_account_keys_master", "master"),
)  # fmt: skip
ENDINGS = sa.Table(
    "endings", KEYRING_TABLES,
    sa.Column("account_id", postgresql.UUID(), primary_key=True, info={"kind": StorageKind.ID}),
    sa.Column("mark", postgresql.BYTEA(), primary_key=True, info={"kind": StorageKind.INDEX}),
    sa.Column(
        "until", postgresql.TIMESTAMP(timezone=True), nullable=True, info={"kind": StorageKind.TIME},
        index=True,
    ),
    sa.Column(
        "version", sa.SmallInteger(), nullable=False, server_default=sa.text("1"), info={"kind": StorageKind.COUNT}
    ),
    sa.CheckConstraint("length(mark) = 16", name="endings_mark_is_a_block"),
)  # fmt: skip
"""What is over. A mark is a row's id, enciphered under its account's key of this version: it goes when the key does."""
SYSTEM_KEYS = sa.Table(
    "system_keys", KEYRING_TABLES,
    sa.Column("purpose", sa.String(32), primary_key=True, info={"kind": StorageKind.ENUM}),
    *_key_columns("system_keys"),
    sa.CheckConstraint("purpose ~ '^[a-z_]{1,32}$'", name="system_keys_purpose_is_a_word"),
)  # fmt: skip

_TIME = postgresql.TIMESTAMP(timezone=True)
EPOCHS = sa.Table(
    "epochs", KEYRING_TABLES,
    sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False, info={"kind": StorageKind.COUNT}),
    sa.Column("master", sa.String(2048), nullable=False, info={"kind": StorageKind.REF}),
    sa.Column("began_at", _TIME, nullable=False, info={"kind": StorageKind.TIME}),
    sa.Column("closed_at", _TIME, nullable=True, info={"kind": StorageKind.TIME}),
    sa.Column("gone_at", _TIME, nullable=True, info={"kind": StorageKind.TIME}),
    sa.UniqueConstraint("master", name="epochs_master_key"),
    sa.CheckConstraint("number > 0", name="epochs_number_is_positive"),
)  # fmt: skip
"""Which master keys there were. Nothing is wrapped under a closed one; one with `gone_at` is gone from then on."""

COLUMNS = MappingProxyType({
    **{
        table.name: {column.name: column.info["kind"] for column in table.c} for table in KEYRING_TABLES.sorted_tables
    },
    "keyring_version": {"version_num": StorageKind.REF},
})  # fmt: skip
"""Every table of the keyring's database, with the kind of each column."""
