"""Bringing the two databases up to date, by frozen steps, each once, however many processes start at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import asyncpg

MIGRATIONS = Path(__file__).parent / "migrations"


class NotMigrated(Exception):
    """The database's schema is of an older version, and its tables are not ours: run `pico migrate` as their owner."""


class NotDistributable(Exception):
    """The tables can be distributed only where the extension citus is installed."""


@dataclass(frozen=True)
class Database:
    """One database's history. `lock` numbers an advisory lock: whoever has it migrates, the others wait."""

    folder: str
    version_table: str
    lock: int

    @property
    def versions(self) -> Path:
        """Where the steps lie, a file each, called by its revision: each follows the one before in their order."""
        return MIGRATIONS / self.folder / "versions"

    @cached_property
    def revisions(self) -> tuple[str, ...]:
        """Every revision, the newest last."""
        return tuple(sorted(file.stem for file in self.versions.glob("*.py")))

    @property
    def newest(self) -> str:
        """The revision that migrating leads to."""
        return self.revisions[-1]

    def is_older(self, revision: str) -> bool:
        """Tell whether `revision` is one of ours, and not the newest."""
        return revision in self.revisions[:-1]


STORE = Database("store", "alembic_version", 0x5069_636F_5363_6865)
KEYRING = Database("keyring", "keyring_version", 0x5069_636F_4B65_7973)


def newest_revisions() -> tuple[str, str]:
    """Return to which revisions the store's and the keyring's migrations lead."""
    return STORE.newest, KEYRING.newest


async def migrate(dsn: str, *, distribute: bool = False) -> None:
    """Bring the store's schema up to date in one transaction. Repeating is harmless.

    `distribute` shards the tables by account over the nodes of a Citus cluster: tables that are sharded already stay
    as they are. Raises NotDistributable where the extension is missing; what asyncpg raises passes through.
    """
    await _migrate(dsn, STORE, distribute=distribute)


async def bring_up_to_date(dsn: str, owner: str | None = None, *, distribute: bool = False) -> None:
    """Bring the store's schema up to date, as far as it is ours to change. Repeating is harmless.

    With the address of the tables' `owner` it is changed as that, and the role of `dsn` is restricted; without, where
    the tables belong to somebody else, it is only looked at. Raises NotMigrated, and as `migrate`.
    """
    if owner is not None:
        await migrate(owner, distribute=distribute)
        connection = await asyncpg.connect(dsn)
        try:
            role = await connection.fetchval("SELECT current_user")
        finally:
            await connection.close()
        await restrict(owner, role)
    elif await _is_anothers(dsn):
        return
    else:
        await migrate(dsn, distribute=distribute)


async def _is_anothers(dsn: str) -> bool:
    """Tell whether the tables belong to another role. Raises NotMigrated when they are then of an older version.

    A revision that this release does not know is a later release's, whose schema has all that this one needs
    (docs/releases.md).
    """
    connection = await asyncpg.connect(dsn)
    try:
        owned = await connection.fetchval(
            "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('alembic_version')"
        )
        if owned is not False:
            return False
        if STORE.is_older(await connection.fetchval("SELECT version_num FROM alembic_version")):
            raise NotMigrated
    finally:
        await connection.close()
    return True


async def migrate_keyring(dsn: str) -> None:
    """Bring the keyring's schema up to date in one transaction. Repeating is harmless."""
    await _migrate(dsn, KEYRING)


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
    "REVOKE ALL ON audit_recent, audit_log, audit_heads FROM role",
    "GRANT SELECT ON audit_recent, audit_log, audit_heads TO role",
    "GRANT INSERT (commitment, kind, day, seal) ON audit_recent TO role",
    "GRANT INSERT ON audit_heads TO role",
    "GRANT EXECUTE ON FUNCTION pico_chain_audit, pico_draw_audit TO role",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON alembic_version FROM role",
)


async def _migrate(dsn: str, database: Database, *, distribute: bool = False) -> None:
    if distribute or not await _is_newest(dsn, database):
        # What has nothing to migrate starts without Alembic: a fifth of a second of processor time, and 12 MiB.
        from adapters.outbound.postgres.migrating import upgrade  # noqa: PLC0415 - see above

        await upgrade(dsn, database, distribute=distribute)


async def _is_newest(dsn: str, database: Database) -> bool:
    connection = await asyncpg.connect(dsn)
    try:
        return bool(
            await connection.fetchval(f"SELECT version_num FROM {database.version_table}") == database.newest  # noqa: S608 - a name of ours
        )
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close()
