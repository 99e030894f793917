"""What the epochs of every keyring promise, whichever stands behind the port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from application.ports.epochs import EpochInUse, Epochs
from application.ports.keyring import KeyGone, Keyring, KeysUnavailable
from domain.kernel import AccountId
from pico_testkit.contracts.kms import DAY, HandClock
from tests.contract.keyring.contract import ALICE, BOB


async def turned(epochs: Epochs, clock: HandClock) -> int:
    """Go to the next epoch and end the one before; return how many keys were wrapped anew."""
    before = await epochs.newest(clock())
    await epochs.begin(before, clock())
    moved = 0
    while done := (await epochs.rewrap(2)).done:
        moved += done
    await epochs.retire(before.number, clock())
    return moved


class EpochsContract:
    """Subclass it, and give the fixtures `epochs`, `keyring` and `outage` (a call after which nothing answers)."""

    @pytest.fixture
    def clock(self) -> HandClock:
        return HandClock()

    @pytest.fixture
    def keyring(self) -> Keyring:
        raise NotImplementedError

    @pytest.fixture
    def epochs(self) -> Epochs:
        raise NotImplementedError

    @pytest.fixture
    def outage(self) -> Callable[[], Awaitable[None]]:
        raise NotImplementedError

    async def test_the_first_epoch_is_noted_once(
        self, epochs: Epochs, keyring: Keyring, clock: HandClock
    ) -> None:
        await keyring.create(ALICE)
        assert await epochs.all() == []
        first = await epochs.newest(clock())
        assert (first.number, first.began_at, first.gone_at) == (1, clock(), None)
        clock.move(DAY)
        assert await epochs.newest(clock()) == first
        assert await epochs.all() == [first]

    async def test_every_key_opens_as_before_in_the_next_epoch(
        self, epochs: Epochs, keyring: Keyring, clock: HandClock
    ) -> None:
        accounts = [AccountId(uuid4()) for _ in range(5)]
        for each in accounts:
            await keyring.create(each)
        before = [(await keyring.open(each)).material for each in accounts]
        system = await keyring.system("index")
        for number in (2, 3):
            assert await turned(epochs, clock) == 6
            assert [(await keyring.reopen(each)).material for each in accounts] == before
            assert await keyring.system("index") == system
            assert [each.number for each in await epochs.all()] == list(range(1, number + 1))
            assert (await epochs.newest(clock())).gone_at is None

    async def test_an_epoch_is_not_retired_while_one_key_depends_on_it(
        self, epochs: Epochs, keyring: Keyring, clock: HandClock
    ) -> None:
        for each in (ALICE, BOB):
            await keyring.create(each)
        first = await epochs.newest(clock())
        await epochs.begin(first, clock())
        assert (await epochs.rewrap(1)).done == 1
        with pytest.raises(EpochInUse):
            await epochs.retire(first.number, clock())
        assert len((await keyring.reopen(ALICE)).material) == len((await keyring.reopen(BOB)).material) == 32
        await epochs.rewrap(9)
        assert (await epochs.retire(first.number, clock())).gone_at == clock() + epochs.window

    async def test_a_retired_epoch_is_gone_when_it_says_and_not_before(
        self, epochs: Epochs, keyring: Keyring, clock: HandClock
    ) -> None:
        await keyring.create(ALICE)
        await turned(epochs, clock)
        retired = (await epochs.all())[0]
        assert retired.gone_at == clock() + epochs.window
        clock.move(DAY)
        assert await epochs.retire(1, clock()) == retired, "the first instant stands"
        assert await epochs.is_gone(1) is (epochs.window < DAY)
        clock.move(epochs.window)
        assert [await epochs.is_gone(number) for number in (1, 2)] == [True, False]

    async def test_two_that_begin_the_next_epoch_begin_one(
        self, epochs: Epochs, keyring: Keyring, clock: HandClock
    ) -> None:
        await keyring.create(ALICE)
        first = await epochs.newest(clock())
        begun = await asyncio.gather(*(epochs.begin(first, clock()) for _ in range(4)))
        assert {each.number for each in begun} == {2}
        assert len(await epochs.all()) == 2

    async def test_a_key_destroyed_on_the_way_stays_destroyed(
        self, epochs: Epochs, keyring: Keyring, clock: HandClock
    ) -> None:
        await keyring.create(ALICE)
        await keyring.create(BOB)
        await epochs.begin(await epochs.newest(clock()), clock())
        await asyncio.gather(epochs.rewrap(9), keyring.destroy(ALICE))
        with pytest.raises(KeyGone):
            await keyring.reopen(ALICE)
        await epochs.rewrap(9)
        await epochs.retire(1, clock())
        assert len((await keyring.reopen(BOB)).material) == 32

    async def test_a_key_made_in_a_new_epoch_is_of_that_epoch(
        self, epochs: Epochs, keyring: Keyring, clock: HandClock
    ) -> None:
        await keyring.create(ALICE)
        await turned(epochs, clock)
        await keyring.create(BOB)
        await keyring.system("later")
        assert (await epochs.rewrap(9)).done == 0

    async def test_an_outage_is_told_as_such_by_every_method(
        self, epochs: Epochs, keyring: Keyring, clock: HandClock, outage: Callable[[], Awaitable[None]]
    ) -> None:
        await keyring.create(ALICE)
        first = await epochs.newest(clock())
        await outage()
        for call in (
            epochs.newest(clock()), epochs.all(), epochs.begin(first, clock()), epochs.rewrap(1),
            epochs.retire(1, clock()), epochs.is_gone(1),
        ):  # fmt: skip
            with pytest.raises(KeysUnavailable) as told:
                await call
            assert told.value.__cause__ is None
