"""What a keyring keeps in memory: for how long, how much of it, and that nobody waits twice for one key."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from adapters.outbound.postgres.keyring import CACHED_SECONDS, IDLE_SECONDS, KEPT_BYTES, PostgresKeyring
from adapters.outbound.postgres.pool import Database
from application.ports.keyring import KeyGone, KeysUnavailable
from domain.kernel import AccountId
from tests.contract.keyring.contract import ALICE, BOB
from tests.contract.keyring.gated_kms import GatedKms


class TestKeyCache:
    @pytest.fixture
    def keyring(self, database: Database, kms: GatedKms) -> PostgresKeyring:
        return PostgresKeyring(database, kms)

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

    async def test_an_unwrapped_key_is_kept_300_seconds_and_120_unused_ones(
        self, database: Database, kms: GatedKms
    ) -> None:
        time = 0.0
        keyring = PostgresKeyring(database, kms, monotonic=lambda: time)
        await keyring.create(ALICE)
        await keyring.open(ALICE)
        for time, unwraps in ((119, 1), (238, 1), (299.9, 1), (300.0, 2), (419.9, 2), (540, 3), (599, 3)):
            await keyring.open(ALICE)
            assert kms.calls["unwrap"] == unwraps, time
        assert (CACHED_SECONDS, IDLE_SECONDS) == (300, 120)

    async def test_a_key_that_is_opened_anew_is_unwrapped_anew(
        self, keyring: PostgresKeyring, kms: GatedKms
    ) -> None:
        await keyring.create(ALICE)
        await keyring.open(ALICE)
        for unwraps in (2, 3):
            await keyring.reopen(ALICE)
            await keyring.open(ALICE)
            assert kms.calls["unwrap"] == unwraps

    async def test_a_system_key_is_kept_300_seconds_however_often_it_is_used(
        self, database: Database, kms: GatedKms
    ) -> None:
        time = 0.0
        keyring = PostgresKeyring(database, kms, monotonic=lambda: time)
        await keyring.system("index")
        for time, unwraps in ((200.0, 1), (299.9, 1), (300.0, 2), (599.9, 2), (600.0, 3)):
            await keyring.system("index")
            assert kms.calls["unwrap"] == unwraps, time

    async def test_the_cache_is_bounded_and_the_least_used_key_goes_first(
        self, database: Database, kms: GatedKms
    ) -> None:
        keyring = PostgresKeyring(database, kms, memory=2 * KEPT_BYTES)
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
