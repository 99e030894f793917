"""The rules by which the schema shards by account on an existing engine (docs/adr/0009), held against the live
catalogue and against the text of every statement.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from itertools import chain

import asyncpg
import pytest

from adapters.outbound.postgres import (
    audit_log,
    backlog,
    catch_ups,
    composition,
    data_requests,
    directory,
    erasing,
    job_statements,
    ledger_place,
    limits,
    live,
    residue,
)
from adapters.outbound.postgres.codec import CODECS
from adapters.outbound.postgres.composition import Verb, Write
from adapters.outbound.postgres.reading import Read, RowRead
from adapters.outbound.postgres.repositories import (
    conversations,
    exports,
    idempotency,
    lines,
    messages,
    sessions,
)
from adapters.outbound.postgres.tables import TABLES, TENANT_TABLES
from application.inventory import INVENTORY
from domain.exports import ExportPart
from domain.lines import PhoneLine
from domain.messages import Conversation, Message
from tests.contract.conftest import Postgres
from tests.support.sharding import clauses_of, joining_the_directory, locking_across

MODULES = (
    audit_log,
    backlog,
    catch_ups,
    conversations,
    data_requests,
    directory,
    erasing,
    exports,
    idempotency,
    job_statements,
    ledger_place,
    limits,
    lines,
    live,
    messages,
    residue,
    sessions,
)
ACROSS_ACCOUNTS = {
    job_statements.DUE: "a plain read of what is due",
    job_statements.DUE_OF: "the same, of some kinds",
    job_statements.FAR: "a plain read of what a wrong clock put off",
    job_statements.ALL_OF: "a look for a person",
    job_statements.WAITING: "a count for a person to look at",
    data_requests.ALL: "a look for a person",
    data_requests.OVER: "a plain read of what is over",
    job_statements.SHIFT: "the Sandbox's clock",
    backlog.WORK: "a count for whoever watches",
    backlog.FAILING: "the same",
    backlog.LONGEST_DUE: "the same",
    backlog.OPEN_ERASURES: "the same",
    backlog.HELD: "the same",
    live.STIRRED: "a plain read of what those who are followed have that is new",
}
"""Statements that are about no single account."""
UNIQUE = """
    SELECT c.relname AS table, i.indexrelid::regclass::text AS index, a.attname AS first
    FROM pg_index i
    JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace
"""
LEADING = {
    "accounts": "id", "directory": "kind", "limits": "key", "data_requests": "about", "audit_recent": "commitment",
    "audit_log": "chain", "audit_heads": "chain", "ledger_place": "ledger", "catch_ups": "carrier",
    "alembic_version": "version_num",
}  # fmt: skip
"""What leads the unique indexes of tables whose rows are not an account's belongings, and of the account's own."""


@pytest.fixture
async def connection(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(await postgres.database("sharding"))
    yield connection
    await connection.close()


def texts_of(value: object) -> Iterator[str]:
    """Yield every statement that a module holds, wherever it keeps it."""
    match value:
        case str() if re.match(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE)\b", value):
            yield value
        case Read() | RowRead():
            yield value.text
        case dict():
            yield from chain.from_iterable(map(texts_of, value.values()))
        case erasing._Purge():
            yield from (value._find, value._delete)


def flushes() -> Iterator[str]:
    """Yield a flush for each thing that can be written, each with everything around it."""
    key = next(key.at for key in CODECS[PhoneLine].directory_keys)
    around = (
        Write(Verb.END, None), Write(Verb.LOG, None), Write(Verb.QUEUE, None), Write(Verb.LIVE, None),
        Write(Verb.UNLIST, PhoneLine, (key,)), Write(Verb.LIST, PhoneLine, (key,)), Write(Verb.EMPTY, ExportPart),
    )  # fmt: skip
    for stored in INVENTORY:
        for verb in (Verb.INSERT, Verb.UPDATE, Verb.OVERWRITE, Verb.REMOVE, Verb.RELY):
            yield composition.statement((Write(verb, stored.of, CODECS[stored.of].owned[:2]), *around))
    yield composition.statement((Write(Verb.MOVE, Conversation, (*CODECS[Conversation].relative,)),))


STATEMENTS = sorted({
    *chain.from_iterable(texts_of(value) for module in MODULES for value in vars(module).values()), *flushes()
})  # fmt: skip


async def test_the_account_leads_every_primary_key_and_unique_index(connection: asyncpg.Connection) -> None:
    indexes = await connection.fetch(UNIQUE)
    assert {row["table"] for row in indexes} >= {*TENANT_TABLES}
    for row in indexes:
        assert row["first"] == LEADING.get(row["table"], "account_id"), row["index"]


async def test_a_unique_key_without_the_account_is_noticed(connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE UNIQUE INDEX stray ON messages (ref)")
    odd = [
        row
        for row in await connection.fetch(UNIQUE)
        if row["first"] != LEADING.get(row["table"], "account_id")
    ]
    assert [row["index"] for row in odd] == ["stray"]


async def test_no_table_of_a_tenant_needs_a_trigger_or_a_foreign_key(connection: asyncpg.Connection) -> None:
    triggers = await connection.fetch("SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal")
    assert {row[0] for row in triggers} == {"audit_recent", "audit_log", "audit_heads"}, (
        "nor does a job make a noise in the commit that queues it"
    )
    assert await connection.fetchval("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == 0


def test_what_locks_rows_locks_those_of_one_account() -> None:
    assert locking_across(each for each in STATEMENTS if each not in ACROSS_ACCOUNTS) == []
    for bad in (
        "SELECT jobs.id FROM jobs WHERE jobs.due_at <= now() FOR UPDATE SKIP LOCKED",
        "WITH w0 AS (DELETE FROM sessions WHERE sessions.revoked_at <= $1) SELECT 1",
        "UPDATE jobs SET state = 'leased' WHERE jobs.id = $1",
    ):
        assert len(locking_across([bad])) == 1


def test_the_directory_is_joined_to_nothing() -> None:
    assert joining_the_directory(each for each in STATEMENTS if each != erasing.COUNT) == []
    # It counts each table by itself, in a sub-select of its own.
    assert all("JOIN" not in clause for clause in clauses_of(erasing.COUNT))
    joined = "SELECT 1 FROM directory JOIN accounts ON accounts.id = directory.account_id"
    assert joining_the_directory([joined]) == [joined]


def test_every_statement_was_looked_at() -> None:
    held = "\n".join(STATEMENTS)
    assert len(STATEMENTS) > 70
    assert all(re.search(rf"\b{table}\b", held) for table in TABLES.tables if table != "alembic_version")
    assert Message.stored_as in held
