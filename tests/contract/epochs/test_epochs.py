"""The epochs of the keyrings, under the one contract, and what the real one must withstand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typing_extensions import override

from adapters.outbound.local.kms import LocalKms
from adapters.outbound.memory.epochs import MemoryEpochs
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.postgres.epochs import PostgresEpochs
from adapters.outbound.postgres.keyring import PostgresKeyring
from adapters.outbound.postgres.pool import Database, connect
from adapters.outbound.postgres.schema import migrate_keyring
from application.epochs import RotateMasterKey
from application.ports.epochs import EpochInUse
from application.ports.keyring import KeysUnavailable
from application.ports.kms import KmsUnavailable, WrappedKey
from domain.kernel import AccountId
from pico_testkit.contracts.kms import DAY, HandClock
from tests.contract.conftest import Postgres
from tests.contract.epochs.contract import EpochsContract, turned
from tests.contract.keyring.contract import ALICE, BOB


class TestMemoryEpochs(EpochsContract):
    @pytest.fixture
    def keyring(self) -> MemoryKeyring:
        return MemoryKeyring()

    @pytest.fixture
    def epochs(self, keyring: MemoryKeyring, clock: HandClock) -> MemoryEpochs:
        return MemoryEpochs(lambda: keyring, clock)

    @pytest.fixture
    def outage(self, keyring: MemoryKeyring) -> Callable[[], Awaitable[None]]:
        async def strike() -> None:
            keyring.outage = True

        return strike


class FickleKms(LocalKms):
    """Answers as often as `answers` says, and then no more; None: always. `before_wrap` is awaited before each wrap."""

    answers: int | None = None
    before_wrap: Callable[[], Awaitable[None]] | None = None

    @override
    async def wrap(
        self, plaintext: bytes, context: Mapping[str, str], key_id: str | None = None
    ) -> WrappedKey:
        wrapped = await super().wrap(plaintext, context, key_id)
        if self.before_wrap is not None:
            before, self.before_wrap = self.before_wrap, None
            await before()
        return wrapped

    @override
    async def rewrap(self, wrapped: WrappedKey, context: Mapping[str, str], key_id: str) -> WrappedKey:
        if self.answers is not None:
            if not self.answers:
                raise KmsUnavailable
            self.answers -= 1
        return await super().rewrap(wrapped, context, key_id)


class Agreed:
    """A clock that every other one agrees with."""

    def __init__(self, clock: HandClock) -> None:
        self.now = clock

    async def agreed(self) -> object:
        return self.now()


class TestPostgresEpochs(EpochsContract):
    @pytest.fixture
    async def database(self, postgres: Postgres) -> AsyncIterator[Database]:
        url = await postgres.bare("keyring")
        await migrate_keyring(url)
        async with connect(url, least=1, most=4) as database:
            yield database

    @pytest.fixture
    def kms(self, tmp_path: Path, clock: HandClock) -> FickleKms:
        return FickleKms(tmp_path / "kms", clock)

    @pytest.fixture
    def keyring(self, database: Database, kms: FickleKms) -> PostgresKeyring:
        return PostgresKeyring(database, kms)

    @pytest.fixture
    def epochs(self, database: Database, kms: FickleKms) -> PostgresEpochs:
        return PostgresEpochs(database, kms)

    @pytest.fixture
    def outage(self, database: Database) -> Callable[[], Awaitable[None]]:
        async def strike() -> None:
            await database.fetch("ALTER TABLE epochs RENAME TO e")

        return strike

    async def test_a_rotation_that_was_cut_off_goes_on_where_it_was(
        self, epochs: PostgresEpochs, keyring: PostgresKeyring, kms: FickleKms, clock: HandClock
    ) -> None:
        accounts = [AccountId(uuid4()) for _ in range(40)]
        for each in accounts:
            await keyring.create(each)
        rotate = RotateMasterKey(epochs, Agreed(clock))  # type: ignore[arg-type]  # all of a clock that it asks
        for answers in (0, 1, 7, 16):
            kms.answers = answers
            with pytest.raises(KeysUnavailable):
                await rotate()
            assert len((await keyring.reopen(accounts[-1])).material) == 32
        kms.answers = None
        told: list[int] = []
        assert [each.number for each in await rotate(lambda done, _: told.append(done))] == [1]
        assert [each.number for each in await epochs.all()] == [1, 2], (
            "each attempt began an epoch of its own"
        )
        assert told[-1] < 40, "it wrapped again what was wrapped"
        assert [each.number for each in await rotate()] == [2]

    async def test_a_key_that_does_not_open_keeps_its_epoch_and_holds_up_no_other(
        self, epochs: PostgresEpochs, keyring: PostgresKeyring, database: Database, clock: HandClock
    ) -> None:
        await keyring.create(ALICE)
        await keyring.create(BOB)
        rotate = RotateMasterKey(epochs, Agreed(clock))  # type: ignore[arg-type]  # see above
        flip = "UPDATE account_keys SET wrapped = set_bit(wrapped, 9, 1 - get_bit(wrapped, 9)) WHERE account_id = $1"
        await database.execute(flip, ALICE)
        heard: list[tuple[int, int]] = []
        with pytest.raises(EpochInUse):
            await rotate(lambda *counts: heard.append(counts))
        assert heard[-1] == (1, 1)
        assert not await epochs.is_gone(1)
        await database.execute(flip, ALICE)  # somebody mended it
        assert [each.number for each in await rotate()] == [1]
        assert (await keyring.reopen(ALICE)).material != (await keyring.reopen(BOB)).material

    async def test_a_key_made_while_its_epoch_ends_is_made_in_the_next_one(
        self, epochs: PostgresEpochs, keyring: PostgresKeyring, kms: FickleKms, clock: HandClock
    ) -> None:
        """It was wrapped, and not stored yet, when the master key went that wrapped it."""
        await keyring.create(ALICE)
        first = await epochs.newest(clock())

        async def end_the_epoch() -> None:
            await turned(epochs, clock)

        kms.before_wrap = end_the_epoch
        await keyring.create(BOB)
        assert await epochs.is_gone(first.number)
        assert len((await keyring.reopen(BOB)).material) == 32

    async def test_a_key_that_is_opened_while_its_epoch_ends_opens(
        self, epochs: PostgresEpochs, keyring: PostgresKeyring, clock: HandClock
    ) -> None:
        await keyring.create(ALICE)
        rows = keyring._rows
        slow = asyncio.Event()

        async def read_before(statement: str, owner: object) -> list[Any]:
            found = await rows(statement, owner)
            if not slow.is_set():
                slow.set()
                await turned(epochs, clock)
            return found

        keyring._rows = read_before  # type: ignore[method-assign]
        assert len((await keyring.reopen(ALICE)).material) == 32

    async def test_whoever_was_slower_to_begin_leaves_no_master_key_behind(
        self, epochs: PostgresEpochs, keyring: PostgresKeyring, kms: FickleKms, clock: HandClock
    ) -> None:
        await keyring.create(ALICE)
        first = await epochs.newest(clock())
        await asyncio.gather(*(epochs.begin(first, clock()) for _ in range(4)))
        made = kms._file.read_text().count('"material"')
        assert made == 2

    async def test_keys_of_before_there_were_epochs_are_of_the_first(
        self, epochs: PostgresEpochs, keyring: PostgresKeyring, kms: FickleKms, clock: HandClock
    ) -> None:
        """An operator may have changed the master key by hand, by then."""
        await keyring.create(ALICE)
        await kms.create_key()
        await keyring.create(BOB)
        assert (await epochs.newest(clock())).number == 2
        await epochs.begin((await epochs.all())[-1], clock() + DAY)
        assert (await epochs.rewrap(9)).done == 2
        for number in (1, 2):
            await epochs.retire(number, clock())
        assert (await keyring.reopen(ALICE)).material != (await keyring.reopen(BOB)).material
