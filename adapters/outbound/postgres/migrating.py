"""Migrating a database with Alembic, which only what is not up to date needs."""

from __future__ import annotations

from functools import partial

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from adapters.outbound.postgres.distribution import distribution
from adapters.outbound.postgres.schema import MIGRATIONS, Database, NotDistributable

_HAS_CITUS = text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')")


async def upgrade(dsn: str, database: Database, *, distribute: bool = False) -> None:
    """Take every step that a database lacks, in one transaction, and `distribute` its tables if told to.

    Raises NotDistributable; what asyncpg raises passes through.
    """
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=partial(asyncpg.connect, dsn), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": database.lock})
            await connection.run_sync(_upgrade, database)
            if distribute:
                await connection.run_sync(_distribute)
    finally:
        await engine.dispose()


def config_of(database: Database) -> Config:
    """Return where Alembic finds a database's steps."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("version_locations", str(database.versions).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: Connection, database: Database) -> None:
    config = config_of(database)
    config.attributes.update(connection=connection, version_table=database.version_table)
    command.upgrade(config, "head")


def _distribute(connection: Connection) -> None:
    """Shard the tables over a cluster. Raises NotDistributable where there is none."""
    if not connection.execute(_HAS_CITUS).scalar_one():
        raise NotDistributable
    for statement in distribution():
        connection.exec_driver_sql(statement)
