"""The keyrings, each under the one contract, and what the real one adds: a schema, a key service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.postgres import keyring as statements
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.keyring_tables import ACCOUNT_KEYS, COLUMNS, KEYRING_TABLES, SYSTEM_KEYS
from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.schema import migrate_keyring
from application.ports.keyring import KeysUnavailable
from tests.contract.conftest import Postgres
from tests.contract.keyring.contract import ALICE, BOB, KeyringContract
from tests.contract.keyring.gated_kms import GatedKms

DEFINITIONS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
        pg_get_expr(d.adbin, d.adrelid)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', ''
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
"""


@pytest.mark.parametrize(
    ("table", "owner", "its_type"),
    [(ACCOUNT_KEYS, "account_id", "UUID"), (SYSTEM_KEYS, "purpose", "VARCHAR")],
    ids=["accounts", "systems"],
)
def test_a_key_is_added_once_and_the_newest_is_read(table: sa.Table, owner: str, its_type: str) -> None:
    assert " ".join(statements._insert(table, owner).split()) == (
        "WITH open AS (SELECT epochs.number AS number FROM epochs"  # noqa: S608 - compared, not run
        " WHERE epochs.master = $3::VARCHAR AND epochs.closed_at IS NULL FOR SHARE)"
        f" INSERT INTO {table.name} ({owner}, key_id, master, wrapped, version)"
        f" SELECT $1::{its_type} AS anon_1, $2::UUID AS anon_2, $3::VARCHAR AS anon_3, $4::BYTEA AS anon_4, 1"
        " WHERE (EXISTS (SELECT open.number FROM open)) OR NOT (EXISTS (SELECT epochs.number FROM epochs"
        " WHERE epochs.master = $3::VARCHAR)) ON CONFLICT DO NOTHING"
    )
    columns = ", ".join(f"{table.name}.{name}" for name in ("version", "key_id", "master", "wrapped"))
    assert " ".join(statements._newest(table, owner).split()) == (
        f"SELECT {columns} FROM {table.name} WHERE {table.name}.{owner} = $1::{its_type}"  # noqa: S608 - compared, not run
        f" ORDER BY {table.name}.version DESC LIMIT 1"
    )


class TestMemoryKeyring(KeyringContract):
    @pytest.fixture
    def keyring(self) -> MemoryKeyring:
        return MemoryKeyring()

    @pytest.fixture
    def outage(self, keyring: MemoryKeyring) -> Callable[[], Awaitable[None]]:
        async def strike() -> None:
            keyring.outage = True

        return strike


class TestPostgresKeyring(KeyringContract):
    @pytest.fixture
    def keyring(self, database: Database, kms: GatedKms) -> PostgresKeyring:
        return PostgresKeyring(database, kms)

    @pytest.fixture
    def outage(self, database: Database) -> Callable[[], Awaitable[None]]:
        async def strike() -> None:
            await database.fetch("ALTER TABLE account_keys RENAME TO a")
            await database.fetch("ALTER TABLE system_keys RENAME TO s")
            await database.fetch("ALTER TABLE endings RENAME TO e")

        return strike

    # The database.

    async def test_a_restart_finds_the_same_keys(
        self, keyring: PostgresKeyring, database: Database, kms: GatedKms
    ) -> None:
        await keyring.create(ALICE)
        again = PostgresKeyring(database, kms)
        assert (await again.open(ALICE)).material == (await keyring.open(ALICE)).material
        assert await again.system("index") == await keyring.system("index")

    async def test_of_two_that_race_the_first_to_store_its_key_wins(
        self, database: Database, kms: GatedKms
    ) -> None:
        slow, fast = PostgresKeyring(database, kms), PostgresKeyring(database, kms)
        kms.gate.clear()
        late = asyncio.gather(slow.create(ALICE), slow.system("index"))
        await kms.reached(by=2)
        held, kms.gate = kms.gate, asyncio.Event()
        kms.gate.set()
        await fast.create(ALICE)
        key, index = await fast.open(ALICE), await fast.system("index")
        held.set()
        assert (await late)[1] == index
        restarted = PostgresKeyring(database, kms)
        assert (await restarted.open(ALICE)).material == key.material
        assert await restarted.system("index") == index

    async def test_preparing_is_repeatable_and_safe_at_once(self, url: str) -> None:
        await asyncio.gather(*(migrate_keyring(url) for _ in range(3)))
        await migrate_keyring(url)
        async with connect(url, least=1) as database:
            assert (await database.first("SELECT count(*) FROM keyring_version"))[0] == 1

    async def test_the_frozen_steps_lead_to_the_declared_tables(self, postgres: Postgres, url: str) -> None:
        declared = await postgres.bare("declared")
        engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(declared))
        async with engine.begin() as connection:
            await connection.run_sync(KEYRING_TABLES.create_all)
        await engine.dispose()
        await migrate_keyring(url)
        found = []
        for dsn in (declared, url):
            async with connect(dsn, least=1) as database:
                found.append(
                    {tuple(row) for row in await database.fetch(DEFINITIONS) if "version" not in row[0]}
                )
        assert found[0] == found[1]
        assert len(found[0]) > 15

    async def test_the_live_schema_is_the_declared_one(self, database: Database) -> None:
        live = await database.fetch(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        declared = {(table, column) for table, columns in COLUMNS.items() for column in columns}
        assert {tuple(row) for row in live} == declared

    async def test_the_database_never_holds_a_key_in_clear(
        self, keyring: PostgresKeyring, database: Database
    ) -> None:
        await keyring.create(ALICE)
        material = (await keyring.open(ALICE)).material
        index = await keyring.system("index")
        rows = {table: str(await database.fetch(f"SELECT t::text FROM {table} t")) for table in COLUMNS}  # noqa: S608 - our names
        assert str(ALICE) in rows["account_keys"]
        assert "index" in rows["system_keys"]
        assert not any(key.hex() in row for key in (material, index) for row in rows.values())

    async def test_a_lost_database_is_an_outage(self, keyring: PostgresKeyring, database: Database) -> None:
        await keyring.create(ALICE)
        await database.close()
        for call in (keyring.create(BOB), keyring.open(ALICE), keyring.destroy(ALICE), keyring.count(ALICE)):
            with pytest.raises(KeysUnavailable):
                await call

    # The key service.

    async def test_encryption_contexts_never_name_an_account(
        self, keyring: PostgresKeyring, kms: GatedKms
    ) -> None:
        for account in (ALICE, BOB):
            await keyring.create(account)
            await keyring.open(account)
        await keyring.system("index")
        assert len(kms.contexts) == 6
        assert len({context["key"] for context in kms.contexts}) == 3
        for account in (ALICE, BOB):
            assert not any(form in str(kms.contexts) for form in (str(account), account.hex))
        assert "index" not in str(kms.contexts)

    async def test_a_row_moved_to_another_account_does_not_open_with_its_key_id_left_behind(
        self, keyring: PostgresKeyring, database: Database
    ) -> None:
        await keyring.create(ALICE)
        await keyring.create(BOB)
        await database.execute(
            "UPDATE account_keys SET wrapped = (SELECT wrapped FROM account_keys WHERE account_id = $1)"
            " WHERE account_id = $2", ALICE, BOB,
        )  # fmt: skip
        with pytest.raises(KeysUnavailable):
            await keyring.open(BOB)

    async def test_no_connection_is_held_while_the_key_service_thinks(self, url: str, kms: GatedKms) -> None:
        await migrate_keyring(url)
        async with connect(url, least=1, most=1) as database:
            keyring = PostgresKeyring(database, kms)
            await keyring.create(ALICE)
            kms.gate.clear()
            opening = asyncio.create_task(keyring.open(ALICE))
            await kms.reached()
            assert await asyncio.wait_for(keyring.count(ALICE), 1) == 1
            kms.gate.set()
            await opening

    async def test_a_key_service_in_trouble_is_an_outage_and_never_a_missing_key(
        self, keyring: PostgresKeyring, kms: GatedKms
    ) -> None:
        await keyring.create(ALICE)
        master = (await kms.wrap(bytes(32), {})).key_id
        await kms.disable(master)
        for call in (keyring.open(ALICE), keyring.create(BOB), keyring.system("index")):
            with pytest.raises(KeysUnavailable):
                await call
        await kms.enable(master)
        assert (await keyring.open(ALICE)).version == 1
        assert await keyring.count(BOB) == 0

    async def test_a_key_wrapped_under_an_older_master_still_opens(
        self, keyring: PostgresKeyring, kms: GatedKms
    ) -> None:
        await keyring.create(ALICE)
        await kms.create_key()
        await keyring.create(BOB)
        assert (await keyring.open(ALICE)).material != (await keyring.open(BOB)).material

    async def test_every_version_is_destroyed(self, keyring: PostgresKeyring, database: Database) -> None:
        await keyring.create(ALICE)
        await database.execute(
            "INSERT INTO account_keys SELECT account_id, 2, key_id, master, wrapped FROM account_keys"
        )
        assert (await keyring.open(ALICE)).version == 2
        assert await keyring.count(ALICE) == 2
        assert await keyring.destroy(ALICE) == 2
        assert (await database.first("SELECT count(*) FROM account_keys"))[0] == 0
