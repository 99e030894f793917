"""Turns: whatever a crowd does, somebody else's wait is bounded by how many others there are, and so is memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from adapters.inbound.http import caller
from adapters.outbound.system.passwords import Argon2Hasher, PasswordCost
from adapters.outbound.system.turns import Turns, held
from application.ports.passwords import Overloaded
from bootstrap.worlds import InMemory
from tests.support.http_world import PASSWORD, HttpWorld

PLACES = 10
ADA = "ada@example.org"


async def take(turns: Turns, who: str, account: str, served: list[str]) -> None:
    async with turns.turn(who, account):
        await asyncio.sleep(0)
        served.append(f"{who} {account}")


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
async def turns() -> AsyncIterator[Turns]:
    made = Turns(at_once=1, waiting=PLACES)
    yield made
    assert made._lines == {}
    assert made._free == 1


async def served_by(turns: Turns, *asked: tuple[str, str]) -> tuple[list[str], list[str]]:
    """Ask in this order while somebody else holds the turn; return who was served, in order, and who was refused."""
    served: list[str] = []
    async with turns.turn("", ""):
        tasks = []
        for who, account in asked:
            tasks.append(asyncio.create_task(take(turns, who, account, served)))
            await settle()
            assert sum(map(held, turns._lines.values())) <= PLACES
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [
        f"{who} {account}" for (who, account), it in zip(asked, outcomes, strict=True) if it is not None
    ]
    assert all(isinstance(it, Overloaded) for it in outcomes if it is not None)
    return served, refused


async def test_turns_go_round_the_callers_and_then_their_accounts(turns: Turns) -> None:
    served, refused = await served_by(
        turns, ("m", "1"), ("m", "1"), ("m", "2"), ("m", "2"), ("o", "3"), ("o", "3"), ("p", "1")
    )
    assert served == ["m 1", "o 3", "p 1", "m 2", "o 3", "m 1", "m 2"]
    assert refused == []


@pytest.mark.parametrize(
    "crowd",
    [
        [("mallory", str(n)) for n in range(35)],
        [("mallory", ADA)] * 35,
        [("", "mallory")] * 35,
        [(f"mallory {n % 3}", str(n)) for n in range(35)],
        [(f"mallory {n % 3}", ADA) for n in range(35)],
    ],
    ids=["many accounts", "the owner's", "one account", "few callers", "few callers, the owner's"],
)
async def test_whoever_comes_into_a_crowd_gets_a_place_and_soon_a_turn(
    crowd: list[tuple[str, str]], turns: Turns
) -> None:
    owner = ("" if crowd[0][0] == "" else "owner", ADA)
    served, refused = await served_by(turns, *crowd, owner)
    assert " ".join(owner) not in refused
    assert " ".join(owner) in served[:4]
    assert len(served) == PLACES
    assert len(refused) == 36 - PLACES


async def test_as_many_others_as_there_are_places_are_told_to_come_again(turns: Turns) -> None:
    served, refused = await served_by(turns, *[(f"caller {n}", str(n)) for n in range(PLACES + 5)])
    assert len(served) == PLACES
    assert len(refused) == 5


async def test_those_who_are_sent_away_are_not_told_to_come_back_together() -> None:
    full, waits = Turns(at_once=1, waiting=0), set[float]()
    async with full.turn("", ""):
        for _ in range(100):
            with pytest.raises(Overloaded) as refusal:
                await take(full, "", "", [])
            assert refusal.value.retry_after is not None
            waits.add(refusal.value.retry_after.total_seconds())
    assert min(waits) >= 5
    assert max(waits) <= 20
    assert len(waits) > 10


@settings(max_examples=100, deadline=None)
@given(
    asked=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), max_size=40),
    seed=st.integers(0, 1 << 32),
)
def test_no_turn_is_lost_whoever_gives_up_waiting(asked: list[tuple[str, str]], seed: int) -> None:
    async def run() -> None:
        chance, turns, served = Random(seed), Turns(at_once=2, waiting=PLACES), list[str]()
        tasks = []
        for who, account in asked:
            tasks.append(asyncio.create_task(take(turns, who, account, served)))
            if chance.random() < 0.5:
                await asyncio.sleep(0)
            if chance.random() < 0.3:
                chance.choice(tasks).cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert turns._lines == {}
        assert turns._free == 2

    asyncio.run(run())


# --------------------------------------------------------------------------------------- over the whole edge


@pytest.mark.parametrize("at_the_owner", [False, True], ids=["many accounts", "the owner's"])
async def test_thirty_five_strangers_shut_no_owner_out(at_the_owner: bool) -> None:
    """They guess at another account each time, so that no limit of guesses keeps them from waiting for a turn.

    When they guess at the owner's as well, a former session is what tells the owner from them.
    """
    world = InMemory()
    world.hasher = hasher = Argon2Hasher(PasswordCost(1, 1, 1), waiting=20)  # type: ignore[assignment]
    world.wire()
    said = {"email": ADA, "password": PASSWORD}
    statuses, at_ada = set[int](), set[int]()
    async with HttpWorld.running(world) as http:

        async def hammer(number: int) -> None:
            headers = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.{number % 7}"}
            for turn in count():
                email = ADA if at_the_owner and turn % 2 else f"stranger{number}.{turn}@example.org"
                guess = {"email": email, "password": PASSWORD[::-1]}
                answer = await http.call("POST", "/v1/sessions", guess, headers=headers)
                (at_ada if email == ADA else statuses).add(answer.status)

        token = await http.person()
        if at_the_owner:
            said["former_token"] = token
        strangers = [asyncio.create_task(hammer(number)) for number in range(35)]
        await asyncio.sleep(0.3)
        for _ in range(5):
            answer = await http.call("POST", "/v1/sessions", said, headers={"X-Forwarded-For": "192.0.2.1"})
            assert answer.status == 201
        for stranger in strangers:
            stranger.cancel()
        await asyncio.gather(*strangers, return_exceptions=True)
    hasher.close()
    assert statuses == {401, 503}, "they were answered, and there were too many of them"
    assert at_ada - {503} == ({401, 429} if at_the_owner else set()), (
        "of the owner's they had their few guesses"
    )


@pytest.mark.parametrize(
    ("said", "same"),
    [
        ("198.51.100.7", "203.0.113.9, 198.51.100.7"),
        ("2001:db8::1", "2001:db8::ffff:2"),
        ("", "unknown"),
        ("_hidden", ""),
    ],
)
def test_a_caller_is_whom_the_last_proxy_saw(said: str, same: str) -> None:
    def name(value: str) -> str:
        return caller.caller_of(CIMultiDictProxy(CIMultiDict({"X-Forwarded-For": value})))

    assert name(said) == name(same)
    assert said not in name(said) or not said
    assert name("192.0.2.1") not in {name(said), name("2001:db8:1::1"), ""}
