"""Ids, hashers and tokens: the real ones and the fakes under the same promises."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.system import CountingIds, FakeHasher, FakeTokens, HandClock
from adapters.outbound.system.clock import ShiftedClock, SystemClock
from adapters.outbound.system.ids import TimeOrderedIds
from adapters.outbound.system.passwords import HASHES, LEAST, NICENESS, Argon2Hasher, PasswordCost
from adapters.outbound.system.tokens import SignedTokens
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.passwords import Overloaded, PasswordHasher
from application.ports.tokens import Tokens
from domain.kernel import AccountId
from domain.values import Password

HOUR = timedelta(hours=1)
ACCOUNT, OTHER = AccountId(UUID(int=1)), AccountId(UUID(int=2))
CHEAP = PasswordCost(memory_mib=1, passes=1, lanes=1)
RIGHT, WRONG = Password("correct horse battery"), Password("correct horse battery!")


@pytest.mark.parametrize(
    "clock", [SystemClock(), ShiftedClock(), HandClock()], ids=lambda clock: type(clock).__name__
)
def test_a_clock_tells_utc(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta()
    assert clock.now() <= clock.now()


def test_a_shifted_clock_is_ahead_of_the_machine() -> None:
    assert ShiftedClock(HOUR).now() - SystemClock().now() > HOUR - timedelta(minutes=1)


def test_the_hand_clock_moves_when_it_is_moved_and_only_forward() -> None:
    clock = HandClock(datetime(2026, 1, 1, tzinfo=UTC))
    moved: list[datetime] = []
    clock.watch(lambda: moved.append(clock.now()))
    clock.advance(HOUR)
    assert clock.now() == datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert moved == [clock.now()]
    with pytest.raises(ValueError):
        clock.advance(-HOUR)


class TestIds:
    @pytest.fixture
    def clock(self) -> HandClock:
        return HandClock()

    @pytest.fixture(params=[TimeOrderedIds, CountingIds])
    def ids(self, request: pytest.FixtureRequest, clock: HandClock) -> Ids:
        made: Ids = request.param(clock)
        return made

    def test_later_ids_sort_after_earlier_ones_within_an_instant_too(
        self, ids: Ids, clock: HandClock
    ) -> None:
        made = []
        for _ in range(3):
            made += [ids.new() for _ in range(5_000)]
            clock.advance(timedelta(milliseconds=1_000))
        assert made == sorted(set(made))

    def test_an_id_sorts_after_what_was_made_before_the_clock_was_set_back(self, clock: HandClock) -> None:
        for kind in (TimeOrderedIds, CountingIds):
            former, at = kind(clock), clock.now()
            made = [former.new() for _ in range(100)]
            clock._now -= timedelta(days=1)
            assert kind(clock).new(after=at) > made[-1]
            clock.advance(timedelta(days=1))
            assert kind(clock).new(after=at).int >> 80 == made[0].int >> 80, "and otherwise tells the present"

    def test_an_id_is_a_uuid_of_version_7_that_tells_its_millisecond(
        self, ids: Ids, clock: HandClock
    ) -> None:
        clock.advance(timedelta(milliseconds=1234))
        made = ids.new()
        assert (made.version, made.variant) == (7, RFC_4122)
        assert made.int >> 80 == int(clock.now().timestamp() * 1000)

    def test_an_unlinkable_id_says_nothing(self, ids: Ids) -> None:
        made = [ids.random_id() for _ in range(100)]
        assert {(one.version, one.variant) for one in made} == {(4, RFC_4122)}
        assert len(set(made)) == 100
        assert made != sorted(made)

    def test_salts_are_32_bytes_and_never_the_same(self, ids: Ids) -> None:
        salts = {ids.random_bytes() for _ in range(100)}
        assert len(salts) == 100
        assert {len(salt) for salt in salts} == {32}


class TestHashers:
    @pytest.fixture(params=["argon2", "fake"])
    def hasher(self, request: pytest.FixtureRequest) -> Iterator[PasswordHasher]:
        if request.param == "fake":
            yield FakeHasher()
        else:
            argon = Argon2Hasher(CHEAP)
            yield argon
            argon.close()

    async def test_the_right_password_matches_and_no_other(self, hasher: PasswordHasher) -> None:
        async with hasher.turn("") as hashing:
            phc = await hashing.hash(RIGHT)
            assert await hashing.verify(RIGHT, phc)
            assert not await hashing.verify(WRONG, phc)
        assert RIGHT not in phc

    async def test_without_a_hash_nothing_matches(self, hasher: PasswordHasher) -> None:
        async with hasher.turn("") as hashing:
            assert not await hashing.verify(RIGHT, None)

    async def test_a_hash_made_today_is_not_outdated(self, hasher: PasswordHasher) -> None:
        async with hasher.turn("") as hashing:
            assert not hasher.outdated(await hashing.hash(RIGHT))


@pytest.mark.parametrize("change", [{"memory_mib": 2}, {"passes": 3}], ids=str)
async def test_stronger_parameters_outdate_older_hashes_and_weaker_ones_do_not(
    change: dict[str, int],
) -> None:
    weak, strong = Argon2Hasher(CHEAP), Argon2Hasher(replace(CHEAP, **change))
    old = await weak.hash(RIGHT)
    assert strong.outdated(old)
    assert await strong.verify(RIGHT, old), "but it still opens"
    assert not weak.outdated(await strong.hash(RIGHT))
    weak.close()
    strong.close()


async def test_the_fake_outdates_older_hashes_too() -> None:
    fake = FakeHasher()
    old = await fake.hash(RIGHT)
    fake.strength += 1
    assert fake.outdated(old)
    assert await fake.verify(RIGHT, old), "but it still opens"


@pytest.mark.parametrize(
    ("cost", "parameters"), [(PasswordCost(), "m=65536,t=3,p=4"), (LEAST, "m=19456,t=2,p=1")], ids=str
)
async def test_a_hash_says_what_it_took(cost: PasswordCost, parameters: str) -> None:
    argon = Argon2Hasher(cost, threads=1)
    assert (await argon.hash(RIGHT)).startswith(f"$argon2id$v=19${parameters}$")
    argon.close()


async def test_overload_is_told() -> None:
    fake = FakeHasher()
    fake.overloaded = True
    with pytest.raises(Overloaded):
        await checked(fake)
    full = Argon2Hasher(CHEAP, threads=1, waiting=0)
    outcomes = await asyncio.gather(*(checked(full) for _ in range(3)), return_exceptions=True)
    assert outcomes[:2] == [False, False], "one is hashed, and one looks up what is to be"
    assert isinstance(outcomes[2], Overloaded)
    assert await checked(full) is False, "a turn was lost"
    full.close()


async def checked(hasher: PasswordHasher, of: str = "") -> bool:
    async with hasher.turn(of) as hashing:
        return await hashing.verify(RIGHT, None)


async def test_few_are_hashed_at_a_time_and_128_wait() -> None:
    hasher = Argon2Hasher(CHEAP)
    asked = [checked(hasher, str(number)) for number in range(HASHES + 1 + 128 + 1)]
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(each, Overloaded) for each in told].count(True) == 1
    assert hasher._pool._max_workers == HASHES <= 2
    hasher.close()


class TestTokens:
    @pytest.fixture(params=["signed", "fake"])
    def tokens(self, request: pytest.FixtureRequest) -> Tokens:
        return FakeTokens() if request.param == "fake" else SignedTokens(MemoryKeyring())

    @pytest.fixture
    def now(self) -> datetime:
        return HandClock().now()

    def test_bearer_tokens_are_well_formed_long_and_never_the_same(self, tokens: Tokens) -> None:
        made = [tokens.session() for _ in range(50)]
        assert all(tokens.well_formed(token) and token.startswith("pico_s1_") for token in made)
        assert len(set(made)) == 50
        assert min(map(len, made)) >= len("pico_s1_") + 43
        assert str(made[0]) not in repr(made)

    def test_a_mistyped_bearer_token_is_not_well_formed(self, tokens: Tokens) -> None:
        token = str(tokens.session())
        for at in range(len(token)):
            other = "0" if token[at] != "0" else "1"
            assert not tokens.well_formed(token[:at] + other + token[at + 1 :]), at
        for mangled in (
            "",
            "pico_s1_",
            token[:-1],
            token + "0",
            f" {token}",
            token.upper(),
            f"{token}\ud800",
            "é" * 57,
        ):
            assert not tokens.well_formed(mangled)

    async def test_a_verification_token_names_its_account_until_it_expires(
        self, tokens: Tokens, now: datetime
    ) -> None:
        token, other = (
            await tokens.verification(ACCOUNT, now + HOUR),
            await tokens.verification(OTHER, now + HOUR),
        )
        assert await tokens.verified(token, now) == ACCOUNT
        assert await tokens.verified(other, now) == OTHER
        assert await tokens.verified(token, now + HOUR - timedelta(seconds=1)) == ACCOUNT
        assert await tokens.verified(token, now + HOUR) is None

    async def test_a_forged_or_mangled_verification_token_names_nobody(
        self, tokens: Tokens, now: datetime
    ) -> None:
        token = await tokens.verification(ACCOUNT, now + HOUR)
        for at in range(len(token)):
            for other in {"A", "B", "!"} - {token[at]}:
                assert await tokens.verified(token[:at] + other + token[at + 1 :], now) is None, at
        for mangled in (
            "",
            token[:-1],
            token + "=",
            token + "A",
            f"{token}\n",
            f" {token}",
            f"{token}\ud800",
            "é",
        ):
            assert await tokens.verified(mangled, now) is None


async def test_whoever_waits_for_a_turn_while_the_process_ends_is_refused_and_nothing_breaks() -> None:
    hasher = Argon2Hasher(CHEAP, threads=1)
    waiting = [asyncio.create_task(checked(hasher)) for _ in range(4)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    hasher.close()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in done[2:]} == {Overloaded}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness for each thread")
async def test_hashing_leaves_the_processor_to_whoever_answers() -> None:
    hasher = Argon2Hasher(CHEAP, threads=1)

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    here = niceness()
    there = await asyncio.get_running_loop().run_in_executor(hasher._pool, niceness)
    hasher.close()
    assert there == max(here, NICENESS)
    assert niceness() == here, "the whole process gave way"
