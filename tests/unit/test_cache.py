"""The cache: what it keeps, how long, and how often it loads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from adapters.cache import Cache


class Time:
    """A monotonic clock set by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


class Loads:
    """Loads `key` upper-cased, once its gate is open, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = False

    async def __call__(self, key: str) -> str:
        self.asked.append(key)
        await self.gate.wait()
        if self.fails:
            raise LookupError
        return key.upper()


async def test_what_was_loaded_is_kept() -> None:
    cache, load = Cache[str, str](entries=2), Loads()
    assert [await cache.get("a", load) for _ in range(3)] == ["A"] * 3
    assert load.asked == ["a"]


def test_the_least_used_entry_goes_first() -> None:
    cache = Cache[str, int](entries=2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.peek("a") == 1
    cache.put("c", 3)
    assert [cache.peek(key) for key in "abc"] == [1, None, 3]
    assert len(cache) == 2


async def test_a_cache_of_no_entries_keeps_nothing_and_still_loads() -> None:
    cache, load = Cache[str, str](entries=0), Loads()
    assert [await cache.get("a", load) for _ in range(2)] == ["A", "A"]
    assert (len(cache), load.asked) == (0, ["a", "a"])


def test_bytes_are_bounded_too_and_counted_down_again() -> None:
    cache = Cache[str, bytes](size=10, size_of=lambda key, value: len(key) + len(value))
    cache.put("a", bytes(4))
    cache.put("b", bytes(4))
    assert (cache.size, len(cache)) == (10, 2)
    cache.put("b", bytes(5))
    assert [cache.peek("a"), cache.peek("b"), cache.size] == [None, bytes(5), 6]
    cache.put("c", bytes(10))
    assert (cache.peek("c"), cache.size, len(cache)) == (None, 0, 0), "an entry beyond the budget is not kept"


@pytest.mark.parametrize("bounds", [{}, {"size": 10}, {"entries": 1, "size_of": lambda _key, _value: 1}])
def test_a_cache_without_a_bound_is_refused(bounds: dict) -> None:
    with pytest.raises(ValueError, match="bounded"):
        Cache[str, str](**bounds)


def test_an_entry_ends_by_age_however_much_it_is_used(time: Time) -> None:
    cache = Cache[str, int](entries=9, seconds=300, idle_seconds=60, monotonic=time)
    cache.put("a", 1)
    for _ in range(6):
        time.now += 49.9
        assert cache.peek("a") == 1
    time.now += 0.6
    assert cache.peek("a") is None
    assert len(cache) == 0


def test_an_entry_nobody_uses_ends_sooner(time: Time) -> None:
    cache = Cache[str, int](entries=9, seconds=300, idle_seconds=60, monotonic=time)
    cache.put("a", 1)
    time.now += 60
    assert cache.peek("a") is None


def test_expired_entries_leave_memory_when_another_is_kept(time: Time) -> None:
    cache = Cache[str, int](entries=9, seconds=300, monotonic=time)
    cache.put("a", 1)
    cache.put("b", 2)
    time.now += 300
    cache.put("c", 3)
    assert len(cache) == 1


async def test_age_counts_from_the_beginning_of_the_load(time: Time) -> None:
    cache = Cache[str, str](entries=9, seconds=300, monotonic=time)

    async def slow(key: str) -> str:
        time.now += 299
        return key

    await cache.get("a", slow)
    assert cache.peek("a") == "a"
    time.now += 1
    assert cache.peek("a") is None


async def test_many_callers_wait_for_one_load() -> None:
    cache, load = Cache[str, str](entries=9), Loads()
    load.gate.clear()
    callers = [asyncio.create_task(cache.get("a", load)) for _ in range(100)]
    await asyncio.sleep(0)
    load.gate.set()
    assert set(await asyncio.gather(*callers)) == {"A"}
    assert load.asked == ["a"]


async def test_one_who_gives_up_does_not_take_the_load_from_the_others() -> None:
    cache, load = Cache[str, str](entries=9), Loads()
    load.gate.clear()
    impatient, patient = (asyncio.create_task(cache.get("a", load)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    load.gate.set()
    assert await patient == "A"
    assert impatient.cancelled()
    assert load.asked == ["a"]


async def test_a_failed_load_is_told_to_all_who_wait_and_forgotten() -> None:
    cache, load = Cache[str, str](entries=9), Loads()
    load.fails = True
    for told in await asyncio.gather(*(cache.get("a", load) for _ in range(3)), return_exceptions=True):
        assert isinstance(told, LookupError)
    load.fails = False
    assert await cache.get("a", load) == "A"
    assert load.asked == ["a", "a"]


@pytest.mark.parametrize("forget", [lambda cache: cache.drop("a"), Cache.clear])
async def test_what_is_dropped_while_it_loads_is_not_kept(forget: Callable[[Cache], None]) -> None:
    cache, load = Cache[str, str](entries=9), Loads()
    load.gate.clear()
    late = asyncio.create_task(cache.get("a", load))
    await asyncio.sleep(0)
    forget(cache)
    load.gate.set()
    assert await late == "A", "its caller asked before"
    assert cache.peek("a") is None
    cache.put("a", "B")
    forget(cache)
    assert (cache.peek("a"), len(cache), cache.size) == (None, 0, 0)


async def test_a_value_put_while_another_loads_stands() -> None:
    cache, load = Cache[str, str](entries=9), Loads()
    load.gate.clear()
    late = asyncio.create_task(cache.get("a", load))
    await asyncio.sleep(0)
    cache.put("a", "newer")
    load.gate.set()
    await late
    assert cache.peek("a") == "newer"
