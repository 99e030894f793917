"""Guessing at passwords is limited, and nobody keeps an owner out by it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.credentials import WrongCredentials
from application.guesses import GUESSES, OF_A_STRANGER, TooManyGuesses
from application.ports.passwords import ASKING, Overloaded
from bootstrap.worlds import InMemory
from domain.values import Email, Password
from tests.support.actors import PASSWORD, Person, sign_up

WRONG = Password("wrong horse battery staple")
MINUTE = timedelta(minutes=1)
PAUSE = 15 * MINUTE
INSTANT = timedelta(microseconds=1)


@contextmanager
def asking(client: str) -> Iterator[None]:
    """Let somebody ask who can be told from others."""
    before = ASKING.set(client)
    yield
    ASKING.reset(before)


async def guess(world: InMemory, email: Email, password: Password = WRONG, former: str | None = None) -> str:
    """Try to sign in; return what came of it."""
    try:
        await world.use_cases.sign_in(email, password, former)
    except (WrongCredentials, TooManyGuesses, Overloaded) as error:
        return error.code
    return "signed_in"


async def paused(world: InMemory, person: Person) -> None:
    """Have strangers use up what they have."""
    while await guess(world, person.email) == WrongCredentials.code:
        pass


async def test_six_guesses_at_once_and_then_one_every_quarter_of_an_hour(world: InMemory) -> None:
    ada = await sign_up(world)
    answers = [await guess(world, ada.email) for _ in range(8)]
    assert answers == [WrongCredentials.code] * 6 + [TooManyGuesses.code] * 2
    with pytest.raises(TooManyGuesses) as error:
        await world.use_cases.sign_in(ada.email, WRONG)
    assert error.value.retry_after == PAUSE
    world.clock.advance(PAUSE - INSTANT)
    assert await guess(world, ada.email) == TooManyGuesses.code
    world.clock.advance(INSTANT)
    assert [await guess(world, ada.email) for _ in range(2)] == [WrongCredentials.code, TooManyGuesses.code]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), st.booleans()), min_size=1, max_size=60))
async def test_whatever_the_order_no_hour_sees_more_than_ten_verified_guesses(
    acts: list[tuple[int, int, bool]],
) -> None:
    """Strangers, some of whom can be told apart, guess; now and then the owner signs in from somewhere new."""
    world = InMemory()
    ada = await sign_up(world)
    verified: list[datetime] = []
    for pause, client, right in acts:
        world.clock.advance(timedelta(minutes=pause))
        with asking(f"client {client}" if client else ""):
            answer = await guess(world, ada.email, PASSWORD if right else WRONG)
        if answer == WrongCredentials.code:
            verified.append(world.clock.now())
    for first in verified:
        assert sum(first <= at <= first + timedelta(hours=1) for at in verified) <= 10


async def test_fifty_at_the_same_time_get_no_more(world: InMemory) -> None:
    ada = await sign_up(world)
    answers = await asyncio.gather(*(guess(world, ada.email) for _ in range(50)))
    assert answers.count(WrongCredentials.code) == 6


async def test_a_right_password_after_the_pause_works(world: InMemory) -> None:
    ada = await sign_up(world)
    await paused(world, ada)
    assert await guess(world, ada.email, PASSWORD) == TooManyGuesses.code, "or a pause would tell"
    world.clock.advance(PAUSE)
    assert await guess(world, ada.email, PASSWORD) == "signed_in"


async def test_a_right_password_costs_nothing_and_gives_nothing_back(world: InMemory) -> None:
    ada = await sign_up(world)
    for _ in range(30):
        assert await guess(world, ada.email, PASSWORD) == "signed_in"
    for _ in range(5):
        assert await guess(world, ada.email) == WrongCredentials.code
    assert await guess(world, ada.email, PASSWORD) == "signed_in"
    answers = [await guess(world, ada.email) for _ in range(2)]
    assert answers == [WrongCredentials.code, TooManyGuesses.code]


async def test_a_device_that_was_signed_in_need_not_wait_with_strangers(world: InMemory) -> None:
    ada = await sign_up(world)
    token = ada.signed_in.token
    await paused(world, ada)
    assert await guess(world, ada.email, PASSWORD, token) == "signed_in"
    world.clock.advance(timedelta(days=32))  # its session has expired
    await paused(world, ada)
    assert await guess(world, ada.email, PASSWORD, token) == "signed_in"
    assert [await guess(world, ada.email, WRONG, token) for _ in range(7)][-1] == TooManyGuesses.code


async def test_a_session_that_was_revoked_or_is_another_s_vouches_for_nobody(world: InMemory) -> None:
    ada, ben = await sign_up(world), await sign_up(world, "ben")
    later = await world.use_cases.sign_in(ada.email, PASSWORD)
    await world.use_cases.sign_out(ada.id, later.session.id)
    await paused(world, ada)
    for token in (later.token, ben.signed_in.token, "pico_s1_nobody"):
        assert await guess(world, ada.email, PASSWORD, token) == TooManyGuesses.code
    nobody = Email("nobody@example.org")
    answers = [await guess(world, nobody, PASSWORD, ben.signed_in.token) for _ in range(7)]
    assert answers[5:] == [WrongCredentials.code, TooManyGuesses.code], "nor for an address without account"


async def test_whoever_is_signed_in_is_asked_for_the_password_as_ever(world: InMemory) -> None:
    ada = await sign_up(world)
    await paused(world, ada)
    for _ in range(6):
        with pytest.raises(WrongCredentials):
            await world.use_cases.delete_account(ada.id, WRONG)
    with pytest.raises(TooManyGuesses):
        await world.use_cases.delete_account(ada.id, PASSWORD)
    world.clock.advance(PAUSE)
    await world.use_cases.delete_account(ada.id, PASSWORD)


async def test_one_stranger_leaves_some_guesses_to_the_others(world: InMemory) -> None:
    ada = await sign_up(world)
    with asking("mallory"):
        answers = [await guess(world, ada.email) for _ in range(20)]
    assert answers.count(WrongCredentials.code) == OF_A_STRANGER.at_once < GUESSES.at_once
    with asking("ada, elsewhere"):
        assert await guess(world, ada.email, PASSWORD) == "signed_in"
    with asking("mallory"):
        assert await guess(world, ada.email, PASSWORD) == TooManyGuesses.code


async def test_an_address_without_account_is_answered_just_so(world: InMemory) -> None:
    ada = await sign_up(world)
    said = []
    for email in (ada.email, Email("nobody@example.org")):
        answers = []
        for minutes in (0, 0, 0, 0, 0, 0, 0, 1, 14, 0, 30, 0, 0):
            world.clock.advance(minutes * MINUTE)
            with asking("mallory"):
                first = await guess(world, email)
            answers += [first, await guess(world, email)]
        said.append(answers)
    assert said[0] == said[1]
    assert TooManyGuesses.code in said[0]


async def test_every_way_to_try_a_password_counts_at_one_place(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    for _ in range(3):
        with pytest.raises(WrongCredentials):
            await world.use_cases.recover_account(ada.email, WRONG)
        assert await guess(world, ada.email) == WrongCredentials.code
    with pytest.raises(TooManyGuesses):
        await world.use_cases.recover_account(ada.email, WRONG)
    link = await world.tokens.verification(ada.id, world.clock.now() + PAUSE)
    with pytest.raises(TooManyGuesses):
        await world.use_cases.verify_account(link, PASSWORD)


async def test_what_was_not_checked_was_no_guess(world: InMemory) -> None:
    ada = await sign_up(world)
    world.hasher.overloaded = True
    assert {await guess(world, ada.email) for _ in range(20)} == {Overloaded.code}
    world.hasher.overloaded = False
    assert await guess(world, ada.email, PASSWORD) == "signed_in"


async def test_when_nobody_can_be_asked_this_process_counts_for_itself(world: InMemory) -> None:
    ada = await sign_up(world)
    world.limits.outage = True
    assert await guess(world, ada.email, PASSWORD) == "signed_in"
    answers = [await guess(world, ada.email) for _ in range(9)]
    assert answers.count(WrongCredentials.code) == 6


async def test_what_is_over_is_forgotten(world: InMemory) -> None:
    ada = await sign_up(world)
    await paused(world, ada)
    assert world.limits.full_at
    await world.advance(timedelta(days=2))
    assert world.limits.full_at == {}


async def test_a_clock_set_back_keeps_nobody_out_who_knows_the_password(world: InMemory) -> None:
    ada = await sign_up(world)
    with asking("a stranger"):
        assert await guess(world, ada.email, PASSWORD) == "signed_in"
        world.clock._now -= 60 * MINUTE
        assert await guess(world, ada.email, PASSWORD) == "signed_in"
    await paused(world, ada)
    world.clock._now -= 24 * 60 * MINUTE
    assert await guess(world, ada.email, PASSWORD) == TooManyGuesses.code
    world.clock.advance(PAUSE)
    assert await guess(world, ada.email, PASSWORD) == "signed_in"
