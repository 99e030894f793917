"""The keyrings, each under the one contract, and what the real one adds: a cache, a schema, a key service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.kms import MemoryKms
from adapters.outbound.postgres.keyring import CACHED_SECONDS, COLUMNS, PostgresKeyring, prepare
from application.ports.keyring import KeyGone, KeysUnavailable
from application.ports.kms import WrappedKey
from domain.kernel import AccountId
from tests.contract.conftest import Postgres
from tests.contract.keyring.contract import ALICE, BOB, KeyringContract


class GatedKms(MemoryKms):
    """A key service that answers only while its gate is open."""

    def __init__(self) -> None:
        super().__init__(lambda: datetime(2027, 3, 1, tzinfo=UTC))
        self.gate = asyncio.Event()
        self.gate.set()
        self._arrivals = asyncio.Semaphore(0)

    async def wrap(self, plaintext: bytes, context: Mapping[str, str]) -> WrappedKey:
        await self._admitted()
        return await super().wrap(plaintext, context)

    async def unwrap(self, wrapped: WrappedKey, context: Mapping[str, str]) -> bytes:
        await self._admitted()
        return await super().unwrap(wrapped, context)

    async def reached(self, by: int = 1) -> None:
        """Wait until so many callers stand before the closed gate."""
        for _ in range(by):
            await self._arrivals.acquire()

    async def _admitted(self) -> None:
        if not self.gate.is_set():
            self._arrivals.release()
        await self.gate.wait()


class TestMemoryKeyring(KeyringContract):
    @pytest.fixture
    def keyring(self) -> MemoryKeyring:
        return MemoryKeyring()

    @pytest.fixture
    def outage(self, keyring: MemoryKeyring) -> Callable[[], Awaitable[None]]:
        async def strike() -> None:
            keyring.outage = True

        return strike


@pytest.fixture
async def url(postgres: Postgres) -> str:
    return await postgres.bare("keyring")


class TestPostgresKeyring(KeyringContract):
    @pytest.fixture
    async def pool(self, url: str) -> AsyncIterator[asyncpg.Pool]:
        async with asyncpg.create_pool(url, min_size=1, max_size=4) as pool:
            await prepare(pool)
            yield pool

    @pytest.fixture
    async def kms(self) -> GatedKms:
        return GatedKms()

    @pytest.fixture
    def keyring(self, pool: asyncpg.Pool, kms: GatedKms) -> PostgresKeyring:
        return PostgresKeyring(pool, kms)

    @pytest.fixture
    def outage(self, pool: asyncpg.Pool) -> Callable[[], Awaitable[None]]:
        async def strike() -> None:
            await pool.execute("ALTER TABLE account_keys RENAME TO a")
            await pool.execute("ALTER TABLE system_keys RENAME TO s")

        return strike

    # The database.

    async def test_a_restart_finds_the_same_keys(
        self, keyring: PostgresKeyring, pool: asyncpg.Pool, kms: GatedKms
    ) -> None:
        await keyring.create(ALICE)
        again = PostgresKeyring(pool, kms)
        assert await again.open(ALICE) == await keyring.open(ALICE)
        assert await again.system("index") == await keyring.system("index")

    async def test_of_two_that_race_the_first_to_store_its_key_wins(
        self, pool: asyncpg.Pool, kms: GatedKms
    ) -> None:
        slow, fast = PostgresKeyring(pool, kms), PostgresKeyring(pool, kms)
        kms.gate.clear()
        late = asyncio.gather(slow.create(ALICE), slow.system("index"))
        await kms.reached(by=2)
        held, kms.gate = kms.gate, asyncio.Event()
        kms.gate.set()
        await fast.create(ALICE)
        key, index = await fast.open(ALICE), await fast.system("index")
        held.set()
        assert (await late)[1] == index
        restarted = PostgresKeyring(pool, kms)
        assert await restarted.open(ALICE) == key
        assert await restarted.system("index") == index

    async def test_preparing_is_repeatable_and_safe_at_once(self, url: str) -> None:
        async with asyncpg.create_pool(url, min_size=1, max_size=6) as pool:
            await asyncio.gather(*(prepare(pool) for _ in range(6)))
            await prepare(pool)
            assert await pool.fetchval("SELECT count(*) FROM schema_version") == 1

    async def test_the_live_schema_is_the_declared_one(self, pool: asyncpg.Pool) -> None:
        live = await pool.fetch(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        declared = {(table, column) for table, columns in COLUMNS.items() for column in columns}
        assert {tuple(row) for row in live} == declared

    async def test_the_database_never_holds_a_key_in_clear(
        self, keyring: PostgresKeyring, pool: asyncpg.Pool
    ) -> None:
        await keyring.create(ALICE)
        material = (await keyring.open(ALICE)).material
        index = await keyring.system("index")
        rows = [str(await pool.fetch(f"SELECT t::text FROM {table} t")) for table in COLUMNS]  # noqa: S608 - our names
        assert str(ALICE) in rows[1]
        assert "index" in rows[2]
        assert not any(key.hex() in row for key in (material, index) for row in rows)

    async def test_a_lost_database_is_an_outage(self, keyring: PostgresKeyring, pool: asyncpg.Pool) -> None:
        await keyring.create(ALICE)
        await pool.close()
        for call in (keyring.create(BOB), keyring.open(ALICE), keyring.destroy(ALICE), keyring.count(ALICE)):
            with pytest.raises(KeysUnavailable):
                await call
        with pytest.raises(KeysUnavailable):
            await prepare(pool)

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
        self, keyring: PostgresKeyring, pool: asyncpg.Pool
    ) -> None:
        await keyring.create(ALICE)
        await keyring.create(BOB)
        await pool.execute(
            "UPDATE account_keys SET wrapped = (SELECT wrapped FROM account_keys WHERE account_id = $1)"
            " WHERE account_id = $2", ALICE, BOB,
        )  # fmt: skip
        with pytest.raises(KeysUnavailable):
            await keyring.open(BOB)

    async def test_no_connection_is_held_while_the_key_service_thinks(self, url: str, kms: GatedKms) -> None:
        async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
            await prepare(pool)
            keyring = PostgresKeyring(pool, kms)
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

    # The cache.

    async def test_a_hundred_callers_at_once_unwrap_once(
        self, keyring: PostgresKeyring, kms: GatedKms
    ) -> None:
        await keyring.create(ALICE)
        kms.gate.clear()
        opens = [asyncio.create_task(keyring.open(ALICE)) for _ in range(100)]
        await kms.reached()
        kms.gate.set()
        assert len({key.material for key in await asyncio.gather(*opens)}) == 1
        await keyring.open(ALICE)
        assert kms.calls["unwrap"] == 1

    async def test_an_unwrapped_key_is_kept_300_seconds_and_no_longer(
        self, pool: asyncpg.Pool, kms: GatedKms
    ) -> None:
        time = 0.0
        keyring = PostgresKeyring(pool, kms, monotonic=lambda: time)
        await keyring.create(ALICE)
        await keyring.open(ALICE)
        for time, unwraps in ((299.9, 1), (300.0, 2), (599.9, 2), (600.0, 3)):
            await keyring.open(ALICE)
            assert kms.calls["unwrap"] == unwraps, time
        assert CACHED_SECONDS == 300

    async def test_the_cache_is_bounded_and_the_least_used_key_goes_first(
        self, pool: asyncpg.Pool, kms: GatedKms
    ) -> None:
        keyring = PostgresKeyring(pool, kms, limit=2)
        carol = AccountId(uuid4())
        for account in (ALICE, BOB, carol):
            await keyring.create(account)
        for account in (ALICE, BOB, ALICE, carol, ALICE, carol):  # carol pushes bob out
            await keyring.open(account)
        assert kms.calls["unwrap"] == 3
        await keyring.open(BOB)
        assert kms.calls["unwrap"] == 4

    async def test_one_caller_who_gives_up_does_not_take_it_from_the_others(
        self, keyring: PostgresKeyring, kms: GatedKms
    ) -> None:
        await keyring.create(ALICE)
        kms.gate.clear()
        impatient = asyncio.create_task(keyring.open(ALICE))
        await kms.reached()
        patient = asyncio.create_task(keyring.open(ALICE))
        await asyncio.sleep(0)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        kms.gate.set()
        assert (await patient).version == 1
        assert kms.calls["unwrap"] == 1

    async def test_a_failed_load_is_forgotten(self, keyring: PostgresKeyring, kms: GatedKms) -> None:
        with pytest.raises(KeyGone):
            await keyring.open(ALICE)
        await keyring.create(ALICE)
        kms.outage = True
        with pytest.raises(KeysUnavailable):
            await keyring.open(ALICE)
        kms.outage = False
        assert (await keyring.open(ALICE)).version == 1

    async def test_a_key_that_was_being_unwrapped_when_it_was_destroyed_is_not_kept(
        self, keyring: PostgresKeyring, kms: GatedKms
    ) -> None:
        await keyring.create(ALICE)
        kms.gate.clear()
        late = asyncio.create_task(keyring.open(ALICE))
        await kms.reached()
        assert await keyring.destroy(ALICE) == 1
        kms.gate.set()
        await late
        with pytest.raises(KeyGone):
            await keyring.open(ALICE)

    async def test_every_version_is_destroyed(self, keyring: PostgresKeyring, pool: asyncpg.Pool) -> None:
        await keyring.create(ALICE)
        await pool.execute(
            "INSERT INTO account_keys SELECT account_id, 2, key_id, master, wrapped FROM account_keys"
        )
        assert (await keyring.open(ALICE)).version == 2
        assert await keyring.count(ALICE) == 2
        assert await keyring.destroy(ALICE) == 2
        assert await pool.fetchval("SELECT count(*) FROM account_keys") == 0
