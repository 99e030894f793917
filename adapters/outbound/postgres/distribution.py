"""How the tables are sharded over the nodes of a Citus cluster: the statements, made of the inventory."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.outbound.postgres.tables import TENANT_TABLES

_OTHERS = (
    ("directory", "key", "none"),
    ("limits", "key", "none"),
    ("data_requests", "about", "none"),
    ("audit_recent", "commitment", "none"),
    ("ledger_place", "ledger", "none"),
    ("catch_ups", "carrier", "none"),
    ("audit_log", "chain", "none"),
    ("audit_heads", "chain", "audit_log"),
)
"""Tables whose rows are no account's belongings: by which column each is sharded, and beside which other one."""
_PLACE = (
    "SELECT create_distributed_table('{table}'::regclass, '{column}', colocate_with => '{beside}')"
    " WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = '{table}'::regclass)"
)
_TRIGGERS = (
    ("audit_log_only_grows", "audit_log"),
    ("audit_recent_only_grows", "audit_recent"),
    ("audit_recent_is_chained_once", "audit_recent"),
    ("audit_heads_only_grow", "audit_heads"),
)


def distribution() -> Sequence[str]:
    """Return the statements that shard what belongs to an account by account, and the rest by keys of its own.

    Repeating them is harmless: a table that is sharded stays as it is. Citus has no triggers on sharded tables: there
    the audit log is append-only by privilege alone (`schema.restrict`).
    """
    first, *others = TENANT_TABLES
    placed = [(first, "id", "none"), *((table, "account_id", first) for table in others), *_OTHERS]
    return (
        *(f"DROP TRIGGER IF EXISTS {trigger} ON {table}" for trigger, table in _TRIGGERS),
        *(_PLACE.format(table=table, column=column, beside=beside) for table, column, beside in placed),
        "SELECT create_distributed_function('pico_refuse(text)')",
    )
