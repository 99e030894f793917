"""What every keeper of limits promises, whichever stands behind the port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from application.ports.limits import Limits, LimitsUnavailable
from domain.limits import Limit

NOW = datetime(2027, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
TEN = Limit(name="ten", most=10, within=HOUR, at_once=6)
OTHER = Limit(name="other", most=10, within=HOUR, at_once=6)


class LimitsContract:
    """Subclass it, and give the fixture `limits`."""

    @pytest.fixture
    def limits(self) -> Limits:
        raise NotImplementedError

    async def taken(self, limits: Limits, at: datetime, of: str = "ada", limit: Limit = TEN) -> int:
        """Take one by one until there is none left; return how many there were."""
        count = 0
        while (await limits.take(limit, of, at)).wait is None:
            count += 1
        return count

    async def test_what_is_taken_counts_and_comes_back_one_by_one(self, limits: Limits) -> None:
        assert [(await limits.take(TEN, "ada", NOW)).left for _ in range(6)] == [5, 4, 3, 2, 1, 0]
        refused = await limits.take(TEN, "ada", NOW)
        assert refused.wait == TEN.every == timedelta(minutes=15)
        assert refused.left == 0
        assert (await limits.take(TEN, "ada", NOW + TEN.every - INSTANT)).wait == INSTANT
        assert await self.taken(limits, NOW + TEN.every) == 1
        assert await self.taken(limits, NOW + 3 * TEN.every) == 2
        assert await self.taken(limits, NOW + 100 * HOUR) == 6

    async def test_what_was_refused_was_not_taken(self, limits: Limits) -> None:
        await self.taken(limits, NOW)
        for _ in range(20):
            assert (await limits.take(TEN, "ada", NOW)).wait == TEN.every
        assert await self.taken(limits, NOW + TEN.every) == 1

    async def test_a_clock_set_back_makes_nobody_wait_longer_than_for_one_to_come_back(
        self, limits: Limits
    ) -> None:
        await self.taken(limits, NOW)
        before = NOW - 9 * HOUR
        assert [(await limits.take(TEN, "ada", before)).wait for _ in range(2)] == [TEN.every] * 2
        assert (await limits.take(TEN, "ada", before + TEN.every - INSTANT)).wait == INSTANT
        assert await self.taken(limits, before + TEN.every) == 1
        assert await self.taken(limits, before + 2 * HOUR) == 6

    async def test_keys_and_limits_have_nothing_to_do_with_each_other(self, limits: Limits) -> None:
        await self.taken(limits, NOW)
        assert await self.taken(limits, NOW, "ben") == 6
        assert await self.taken(limits, NOW, limit=OTHER) == 6

    async def test_more_than_one_can_be_taken_and_never_more_than_there_is_at_once(
        self, limits: Limits
    ) -> None:
        assert (await limits.take(TEN, "ada", NOW, 7)).wait == TEN.every
        assert (await limits.take(TEN, "ada", NOW, 4)).left == 2
        assert (await limits.take(TEN, "ada", NOW, 3)).wait == TEN.every
        assert (await limits.take(TEN, "ada", NOW, 2)).left == 0
        assert (await limits.take(TEN, "ada", NOW, 7)).wait == 7 * TEN.every

    async def test_what_is_given_back_can_be_taken_again(self, limits: Limits) -> None:
        await limits.give_back(TEN, "ada", NOW)
        assert await self.taken(limits, NOW) == 6
        await limits.give_back(TEN, "ada", NOW, 2)
        assert await self.taken(limits, NOW) == 2

    async def test_when_all_is_given_back_nothing_is_kept_that_a_clock_set_back_could_trip_over(
        self, limits: Limits
    ) -> None:
        await limits.take(TEN, "ada", NOW)
        await limits.give_back(TEN, "ada", NOW)
        assert await limits.purge(NOW + 9 * HOUR, 9) == 0
        assert await self.taken(limits, NOW - 9 * HOUR) == 6

    async def test_giving_back_never_makes_more_than_there_is_at_once(self, limits: Limits) -> None:
        await limits.take(TEN, "ada", NOW)
        for _ in range(9):
            await limits.give_back(TEN, "ada", NOW)
        assert await self.taken(limits, NOW) == 6

    async def test_however_many_take_at_once_they_get_no_more_than_there_is(self, limits: Limits) -> None:
        for of in ("new", "known"):
            if of == "known":
                await limits.take(TEN, of, NOW - 2 * HOUR)
            takings = await asyncio.gather(*(limits.take(TEN, of, NOW) for _ in range(50)))
            assert sum(taking.wait is None for taking in takings) == 6
            assert {taking.wait for taking in takings} == {None, TEN.every}
            assert sorted(taking.left for taking in takings if taking.wait is None) == [0, 1, 2, 3, 4, 5]

    async def test_what_is_over_is_purged_and_nothing_sooner(self, limits: Limits) -> None:
        for of in ("ada", "ben", "eva"):
            await limits.take(TEN, of, NOW)
        await limits.take(TEN, "ida", NOW, 2)
        assert await limits.purge(NOW + TEN.every - INSTANT, 9) == 0
        assert await limits.purge(NOW + TEN.every, 2) == 2
        assert await limits.purge(NOW + TEN.every, 9) == 1
        assert await limits.purge(NOW + TEN.every, 9) == 0
        assert await self.taken(limits, NOW + TEN.every, "ida") == 5
        assert await limits.purge(NOW + HOUR + HOUR, 9) == 1


class SharedLimitsContract(LimitsContract):
    """For those that all processes share, and that may not answer. Give the fixture `outage` as well."""

    @pytest.fixture
    def outage(self, limits: Limits) -> Callable[[], Awaitable[None]]:
        raise NotImplementedError

    async def test_an_outage_is_said_by_every_method(
        self, limits: Limits, outage: Callable[[], Awaitable[None]]
    ) -> None:
        await outage()
        for asked in (limits.take(TEN, "ada", NOW), limits.give_back(TEN, "ada", NOW), limits.purge(NOW, 1)):
            with pytest.raises(LimitsUnavailable):
                await asked
