"""Bringing the two databases up to date, by frozen steps, each once, however many processes start at the same time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from adapters.outbound.postgres.tables import TENANT_TABLES

_MIGRATIONS = Path(__file__).parent / "migrations"
_HAS_CITUS = text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')")


class NotDistributable(Exception):
    """The tables can be distributed only where the extension citus is installed."""


@dataclass(frozen=True, slots=True)
class _Database:
    """One database's history. `lock` numbers an advisory lock: whoever has it migrates, the others wait."""

    folder: str
    version_table: str
    lock: int

    def upgrade(self, connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.set_main_option(
            "version_locations", str(_MIGRATIONS / self.folder / "versions").replace("%", "%%")
        )
        config.set_main_option("path_separator", "os")
        config.attributes.update(connection=connection, version_table=self.version_table)
        command.upgrade(config, "head")


_STORE = _Database("store", "alembic_version", 0x5069_636F_5363_6865)
_KEYRING = _Database("keyring", "keyring_version", 0x5069_636F_4B65_7973)


async def migrate(dsn: str, *, distribute: bool = False) -> None:
    """Bring the store's schema up to date in one transaction. Repeating is harmless.

    `distribute` shards the tables by account over the nodes of a Citus cluster: tables that are sharded already stay
    as they are. Raises NotDistributable where the extension is missing; what asyncpg raises passes through.
    """
    await _migrate(dsn, _STORE, _distribute if distribute else None)


async def migrate_keyring(dsn: str) -> None:
    """Bring the keyring's schema up to date in one transaction. Repeating is harmless."""
    await _migrate(dsn, _KEYRING)


async def restrict(dsn: str, role: str) -> None:
    """Let `role`, as which the application signs in, do what it needs, and only add to and read the audit log.

    For installations whose application does not own its tables. Repeating is harmless.
    """
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            name = await connection.fetchval("SELECT quote_ident($1)", role)
            for grant in _GRANTS:
                await connection.execute(grant.replace("role", name))
    finally:
        await connection.close()


_GRANTS = (
    "GRANT USAGE ON SCHEMA public TO role",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO role",
    "REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM role",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON alembic_version FROM role",
)


async def _migrate(
    dsn: str, database: _Database, afterwards: Callable[[Connection], None] | None = None
) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=partial(asyncpg.connect, dsn), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": database.lock})
            await connection.run_sync(database.upgrade)
            if afterwards is not None:
                await connection.run_sync(afterwards)
    finally:
        await engine.dispose()


def _distribute(connection: Connection) -> None:
    """Shard what belongs to an account by account, directory and limits by their key, the audit log by its entry.

    Citus has no triggers on sharded tables: there the audit log is append-only by privilege alone (`restrict`).
    """
    if not connection.execute(_HAS_CITUS).scalar_one():
        raise NotDistributable
    first, *others = TENANT_TABLES
    placed = [(first, "id", "none"), *((table, "account_id", first) for table in others)]
    placed += [("directory", "key", "none"), ("limits", "key", "none"), ("audit_log", "id", "none")]
    connection.execute(text("DROP TRIGGER IF EXISTS audit_log_only_grows ON audit_log"))
    for table, column, beside in placed:
        connection.execute(_DISTRIBUTE, {"table": table, "column": column, "beside": beside})
    connection.execute(text("SELECT create_distributed_function('pico_refuse(text)')"))


_DISTRIBUTE = text(
    "SELECT create_distributed_table(CAST(:table AS regclass), :column, colocate_with => :beside)"
    " WHERE NOT EXISTS (SELECT FROM citus_tables WHERE table_name = CAST(:table AS regclass))"
)
