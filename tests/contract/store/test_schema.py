"""The live schema is the declared one, no column has room for content, and frozen steps lead to it."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.outbound.postgres.migrating import config_of
from adapters.outbound.postgres.pool import JOB_GONE, VERSION_CONFLICT
from adapters.outbound.postgres.schema import (
    KEYRING,
    STORE,
    Database,
    NotDistributable,
    NotMigrated,
    bring_up_to_date,
    migrate,
    restrict,
)
from adapters.outbound.postgres.tables import COLUMNS, TABLES
from application.inventory import INVENTORY
from application.jobs import JOB_TYPES
from domain.classification import StorageKind
from tests.contract.conftest import Postgres

SHAPES = {
    StorageKind.ID: {"uuid"},
    StorageKind.REF: {"character varying"},
    StorageKind.TIME: {"timestamp with time zone", "date"},
    StorageKind.COUNT: {"integer", "bigint"},
    StorageKind.INDEX: {"bytea"},
    StorageKind.SEALED: {"bytea"},
}
ODDITIES = {
    ("phone_lines", "country"): "character varying",  # two letters, by a check
    ("directory", "kind"): "character varying",  # words of ours, by a check: a new one needs no migration
    ("jobs", "name"): "character varying",
    ("jobs", "failure"): "character varying",  # a code of at most 64 letters
    ("erasures", "done"): "character varying",
    ("erasure_counts", "name"): "character varying",
    ("catch_ups", "carrier"): "character varying",
}
"""Columns whose shape is not that of their kind, and what keeps content out of them."""

AUDITED = "INSERT INTO audit_recent (commitment, kind, day, seal) VALUES ($1, 'account_signed_up', current_date, '')"
JOB = """
    INSERT INTO jobs (account_id, id, name, subject, due_at)
    VALUES (gen_random_uuid(), gen_random_uuid(), $1, gen_random_uuid(), now())
"""
CATALOGUE = """
    SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, NULL) AS shape, a.atttypmod AS size,
        t.typtype = 'e' OR e.typtype = 'e' AS closed, EXISTS (
            SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)
        ) AS checked
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind NOT IN ('i', 'I', 'S')
"""
DEFINITIONS = """
    SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
        pg_get_expr(d.adbin, d.adrelid)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', ''
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'index', tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'enum', '', typname, string_agg(enumlabel, ',' ORDER BY enumsortorder), '', ''
    FROM pg_enum JOIN pg_type t ON t.oid = enumtypid WHERE typnamespace = 'public'::regnamespace GROUP BY typname
"""


@pytest.fixture
async def connection(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(await postgres.database("schema"))
    yield connection
    await connection.close()


async def definitions(connection: asyncpg.Connection) -> set[tuple[Any, ...]]:
    """Describe everything that the migrations make of our own tables."""
    rows = {tuple(row) for row in await connection.fetch(DEFINITIONS)}
    return {row for row in rows if not any(re.match("alembic", str(name)) for name in row[1:3])}


def undeclared(catalogue: list[Any]) -> list[str]:
    """Name every column that is not declared, has not the shape of its kind, or could hold a text."""
    found = []
    for row in catalogue:
        place, shape = (row["table"], row["column"]), row["shape"]
        kind = COLUMNS.get(row["table"], {}).get(row["column"])
        fits = (
            row["closed"] if kind is StorageKind.ENUM else shape in SHAPES.get(kind, set()) if kind else False
        )
        odd = ODDITIES.get(place) == shape
        roomy = shape in {"text", "character varying", "json", "jsonb", "xml"}
        bounded = row["checked"] or (shape == "character varying" and 0 < row["size"] - 4 <= 64)
        if not (fits or odd) or (roomy and not bounded):
            found.append(".".join(place))
    return found


async def test_every_column_is_declared_has_the_shape_of_its_kind_and_no_room_for_content(
    connection: asyncpg.Connection,
) -> None:
    catalogue = await connection.fetch(CATALOGUE)
    assert undeclared(catalogue) == []
    live = {(row["table"], row["column"]) for row in catalogue}
    assert live == {(table, column) for table, columns in COLUMNS.items() for column in columns}
    assert {stored.name for stored in INVENTORY} <= set(COLUMNS)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE stray (id uuid)",
        "CREATE VIEW stray AS SELECT 1 AS id",
        "ALTER TABLE messages ADD note text",
        "ALTER TABLE messages ALTER ref TYPE varchar(65)",
        "ALTER TABLE messages ALTER ref TYPE text",
        "ALTER TABLE messages ALTER status TYPE text",
        "ALTER TABLE jobs ALTER name TYPE varchar, DROP CONSTRAINT jobs_name_is_enum",
        "ALTER TABLE jobs ALTER failure TYPE varchar",
        "ALTER TABLE erasures ALTER done TYPE text, DROP CONSTRAINT erasures_done_is_enum",
        "ALTER TABLE phone_lines ALTER country TYPE varchar(200), DROP CONSTRAINT phone_lines_country_is_enum",
    ],
)
async def test_a_column_that_has_room_for_content_is_noticed(
    connection: asyncpg.Connection, statement: str
) -> None:
    await connection.execute(statement)
    assert len(undeclared(await connection.fetch(CATALOGUE))) == 1


ADDITIONS = 20
SHAPES_ADDED = (
    "uuid", "integer", "bigint", "bytea", "date", "timestamptz", "boolean", "text", "varchar(64)", "varchar", "jsonb",
    "audit_kind", "inet", "real", "text[]",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(ADDITIONS))
async def test_a_column_that_nobody_declared_is_noticed_wherever_it_is_and_whatever_its_shape(
    connection: asyncpg.Connection, seed: int
) -> None:
    chance = random.Random(seed)
    table, shape = chance.choice(sorted(TABLES.tables)), chance.choice(SHAPES_ADDED)
    name = "".join(chance.choices("abcdefghijklmnopqrstuvwxyz_", k=9)).strip("_") or "added"
    await connection.execute(f'ALTER TABLE {table} ADD "{name}" {shape}')
    assert undeclared(await connection.fetch(CATALOGUE)) == [f"{table}.{name}"]


async def test_the_frozen_steps_lead_to_the_declared_tables(postgres: Postgres) -> None:
    declared, migrated = await postgres.bare("declared"), await postgres.database("migrated")

    async def dial() -> Any:
        return await asyncpg.connect(declared)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=dial)
    async with engine.begin() as connection:
        await connection.run_sync(TABLES.create_all)
    await engine.dispose()
    found = []
    for dsn in (declared, migrated):
        connected = await asyncpg.connect(dsn)
        found.append(await definitions(connected))
        await connected.close()
    assert found[0] == found[1]
    assert len(found[0]) > 150


async def test_many_processes_may_migrate_at_once_and_again(postgres: Postgres) -> None:
    dsn = await postgres.bare("migrating")
    await asyncio.gather(*(migrate(dsn) for _ in range(3)))
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    assert undeclared(await connection.fetch(CATALOGUE)) == []
    await connection.close()


@pytest.mark.parametrize(
    ("table", "columns"),
    [(name, columns) for name, columns in COLUMNS.items() if StorageKind.SEALED in columns.values()],
)
async def test_a_plaintext_is_refused_where_a_ciphertext_belongs(
    connection: asyncpg.Connection, table: str, columns: dict[str, StorageKind]
) -> None:
    assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608 - of constants
    for column in (name for name, kind in columns.items() if kind is StorageKind.SEALED):
        check = await connection.fetchval(
            "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = $1",
            f"{table}_{column}_is_sealed",
        )
        for value, fits in (
            (b"\x01 sealed", True),
            (b"+15551234567", False),
            ("שלום".encode(), False),
            (b"$argon2id", False),
        ):
            query = f"SELECT {check} FROM (SELECT $1::bytea AS {column}) AS row"  # noqa: S608 - of the catalogue
            assert await connection.fetchval(query, value) is fits


@pytest.mark.parametrize("table", ["audit_recent", "audit_log"])
@pytest.mark.parametrize("change", ["UPDATE {} SET day = day + 1", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_audit_log_only_grows(connection: asyncpg.Connection, table: str, change: str) -> None:
    await connection.execute(AUDITED, bytes(32))
    await connection.fetch("SELECT pico_chain_audit(9)")
    if table == "audit_log":
        await connection.fetch("SELECT pico_draw_audit(current_date, 1, 9)")
    with pytest.raises(asyncpg.RestrictViolationError):
        await connection.execute(change.format(table))
    assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 1  # noqa: S608


async def test_the_application_can_only_add_to_the_audit_log(postgres: Postgres) -> None:
    dsn, role = await postgres.database("restricted"), f"app_{uuid4().hex}"
    async with owner_of(dsn) as owner:
        await owner.execute(f"CREATE ROLE {role}")
        for table in ("audit_recent", "audit_log", "audit_heads"):
            await owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for _ in range(2):
            await restrict(dsn, role)
        await owner.execute(f"SET ROLE {role}")
        for number in range(3):
            await owner.execute(AUDITED, bytes([number] * 32))
        assert await owner.fetchval("SELECT pico_chain_audit(2)") == 2
        assert await owner.fetchval("SELECT pico_draw_audit(current_date, 1, 1)") == 1
        await owner.execute("INSERT INTO audit_heads VALUES (1, 1, '', now(), '')")
        for forbidden in (
            "UPDATE {} SET hash = ''", "DELETE FROM {}", "TRUNCATE {}", "ALTER TABLE {} DISABLE TRIGGER ALL",
            "DROP TABLE {}", "ALTER TABLE {} OWNER TO CURRENT_USER",
        ):  # fmt: skip
            for table in ("audit_recent", "audit_log", "audit_heads"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await owner.execute(forbidden.format(table))
        for forbidden in (
            "INSERT INTO audit_log VALUES (1, 2, current_date, 'line_lost', '', '')",
            "INSERT INTO audit_recent VALUES ('x', 'line_lost', current_date, '', 9, '')",
            "CREATE OR REPLACE FUNCTION pico_chain_audit(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "DROP FUNCTION pico_draw_audit", "UPDATE alembic_version SET version_num = 'x'",
            "SET session_replication_role = replica",
        ):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await owner.execute(forbidden)
        await owner.execute(JOB, "send_message")
        await owner.execute("DELETE FROM jobs")
        assert await owner.fetchval("SELECT count(*) FROM audit_log") == 1
        assert await owner.fetchval("SELECT count(*) FROM audit_recent") == 2


async def test_who_does_not_own_the_tables_is_told_when_they_are_of_an_older_version(
    postgres: Postgres,
) -> None:
    dsn, role = await postgres.bare("owned"), f"app_{uuid4().hex}"
    async with owner_of(dsn) as owner:
        await owner.execute(f"CREATE ROLE {role} LOGIN")
        application = dsn.replace("//pico@", f"//{role}@")
        for _ in range(2):
            await bring_up_to_date(application, dsn)
        await bring_up_to_date(application)
        await owner.execute("UPDATE alembic_version SET version_num = '0001_first'")
        with pytest.raises(NotMigrated):
            await bring_up_to_date(application)
        await owner.execute("UPDATE alembic_version SET version_num = '9999_of_a_later_release'")
        await bring_up_to_date(application)  # it has all that this one needs


@pytest.mark.parametrize("database", [STORE, KEYRING], ids=lambda database: database.folder)
def test_migrations_are_called_by_their_revisions_and_follow_each_other_in_order(database: Database) -> None:
    steps = [*ScriptDirectory.from_config(config_of(database)).walk_revisions()][::-1]
    assert tuple(step.revision for step in steps) == database.revisions
    assert [step.down_revision for step in steps] == [None, *database.revisions[:-1]]


@asynccontextmanager
async def owner_of(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize("name", ["", "Hello", "meet me", "+15551234567", "x" * 33])
async def test_a_job_is_a_word_and_ids(connection: asyncpg.Connection, name: str) -> None:
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.StringDataRightTruncationError)):
        await connection.execute(JOB, name)


async def test_every_kind_of_job_and_every_step_of_an_erasure_fits(connection: asyncpg.Connection) -> None:
    for name in JOB_TYPES:
        await connection.execute(JOB, name)


async def test_a_refusal_is_told_by_its_code(connection: asyncpg.Connection) -> None:
    for code in (VERSION_CONFLICT, JOB_GONE):
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.fetch("SELECT pico_refuse($1)", code)
        assert refused.value.sqlstate == code


async def test_tables_are_distributed_only_where_there_is_an_extension_for_it(postgres: Postgres) -> None:
    dsn = await postgres.bare("distributed")
    with pytest.raises(NotDistributable):
        await migrate(dsn, distribute=True)
    await migrate(dsn)
