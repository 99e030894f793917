"""Sharding the tables over a cluster: the statements are made of the inventory, and run once, beside a stand-in.

The extension is not to be had here. What stands in for it is a schema with its catalogue and its functions by name,
which note what they are called with, and refuse what Citus was seen to refuse (docs/adr/0009).
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from typer.testing import CliRunner

from adapters.inbound.cli import command_line
from adapters.outbound.postgres.distribution import distribution
from adapters.outbound.postgres.schema import NotDistributable, migrate, restrict
from adapters.outbound.postgres.tables import TABLES, TENANT_TABLES
from bootstrap.commands import COMMANDS
from tests.contract.conftest import Postgres

STAND_IN = """
    CREATE TABLE citus_tables (table_name regclass PRIMARY KEY, distribution_column text, colocated text);
    CREATE FUNCTION create_distributed_table(placed regclass, by text, colocate_with text) RETURNS void
        LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = placed AND NOT tgisinternal) THEN
                RAISE EXCEPTION 'triggers are not supported on distributed tables';
            END IF;
            IF EXISTS (
                SELECT FROM pg_index i WHERE i.indrelid = placed AND i.indisunique AND by <> ALL (
                    SELECT a.attname FROM pg_attribute a WHERE a.attrelid = placed AND a.attnum = ANY (i.indkey)
                )
            ) THEN
                RAISE EXCEPTION 'a unique index without the distribution column is not supported';
            END IF;
            IF colocate_with <> 'none' AND NOT EXISTS (
                SELECT FROM citus_tables WHERE table_name = colocate_with::regclass
            ) THEN
                RAISE EXCEPTION 'not distributed: %', colocate_with;
            END IF;
            INSERT INTO citus_tables VALUES (placed, by, colocate_with);
        END $$;
    CREATE TABLE distributed_functions (called text);
    CREATE FUNCTION create_distributed_function(called text) RETURNS void LANGUAGE sql AS
        $$INSERT INTO distributed_functions VALUES (called::regprocedure::text)$$;
"""
"""It refuses what Citus was seen to refuse: triggers, and unique indexes without the column that shards."""


@pytest.fixture
async def dsn(postgres: Postgres) -> str:
    return await postgres.database("distribution")


@pytest.fixture
async def cluster(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    await connection.execute(STAND_IN)
    yield connection
    await connection.close()


async def distribute(cluster: asyncpg.Connection) -> None:
    for statement in distribution():
        await cluster.execute(statement)


async def test_each_table_gets_its_shards_and_accounts_stay_together(cluster: asyncpg.Connection) -> None:
    await distribute(cluster)
    placed = {
        row[0]: (row[1], row[2])
        for row in await cluster.fetch(
            "SELECT table_name::text, distribution_column, colocated FROM citus_tables"
        )
    }
    assert placed.keys() == {table for table in TABLES.tables if table != "alembic_version"}, (
        "a table was forgotten"
    )
    assert placed["accounts"] == ("id", "none")
    for table in {*TENANT_TABLES} - {"accounts"}:
        assert placed[table] == ("account_id", "accounts"), "a commit would go to two nodes"
    assert await cluster.fetchval("SELECT array_agg(called) FROM distributed_functions") == [
        "pico_refuse(text)"
    ]


async def test_repeating_changes_nothing(cluster: asyncpg.Connection) -> None:
    await distribute(cluster)
    before = await cluster.fetchval("SELECT count(*) FROM citus_tables")
    await distribute(cluster)
    assert await cluster.fetchval("SELECT count(*) FROM citus_tables") == before


async def test_a_unique_key_without_the_account_is_refused(cluster: asyncpg.Connection) -> None:
    await cluster.execute("CREATE UNIQUE INDEX stray ON messages (ref)")
    with pytest.raises(asyncpg.RaiseError, match="without the distribution column"):
        await distribute(cluster)


async def test_without_triggers_the_audit_log_grows_by_privilege_alone(
    cluster: asyncpg.Connection, dsn: str
) -> None:
    await distribute(cluster)
    await cluster.execute("DROP ROLE IF EXISTS pico_sharded")
    await cluster.execute("CREATE ROLE pico_sharded LOGIN")
    try:
        await restrict(dsn, "pico_sharded")
        await cluster.execute("SET ROLE pico_sharded")
        for statement in (
            "DELETE FROM audit_recent",
            "UPDATE audit_log SET kind = kind",
            "TRUNCATE audit_heads",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await cluster.execute(statement)
    finally:
        await cluster.execute("RESET ROLE")
        await cluster.execute("DROP OWNED BY pico_sharded")
        await cluster.execute("DROP ROLE pico_sharded")


async def test_without_the_extension_nothing_is_changed(dsn: str) -> None:
    with pytest.raises(NotDistributable):
        await migrate(dsn, distribute=True)


def test_the_statements_can_be_read_before_they_run() -> None:
    told = CliRunner().invoke(command_line(COMMANDS), ["migrate", "--distribute", "--dry-run"])
    assert told.exit_code == 0
    assert told.stdout.splitlines() == [f"{statement};" for statement in distribution()]
    assert CliRunner().invoke(command_line(COMMANDS), ["migrate", "--dry-run"]).exit_code == 2
