"""Signing up: whoever clicks gets in with the password they typed, and with no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.credentials import WrongCredentials
from application.ports.keyring import KeyGone
from application.ports.mail import MailKind
from application.sign_up import BadToken
from bootstrap.worlds import InMemory
from domain.accounts import AccountState
from domain.kernel import PicoError
from domain.values import Email, Label, Locale, Password, SignUpPlace
from tests.support.actors import PASSWORD, sign_up

ADA = Email("ada@example.org")
MALLORYS = Password("mallory's own password")
DAY, MOMENT = timedelta(hours=24), timedelta(microseconds=1)


async def attempt(world: InMemory, password: Password = PASSWORD) -> str:
    """Sign up with Ada's address, and return the token of the link that is mailed."""
    await world.use_cases.sign_up(ADA, password, Label("Ada"), Locale("en"))
    await world.settle()
    return str(world.mail.sent[-1].link_token)


async def accounts(world: InMemory) -> int:
    """Return how many accounts have rows."""
    return sum([bool((await world.store.count_rows(one))["accounts"]) for one in list(world.store.accounts)])


def forget_counts(world: InMemory) -> None:
    """Take away the limits on mails and guesses: here the rules behind them are looked at."""
    world.limits.full_at.clear()


async def lets_in(world: InMemory, password: Password) -> bool:
    try:
        await world.use_cases.sign_in(ADA, password)
    except WrongCredentials:
        return False
    return True


@pytest.mark.parametrize("mallory_first", [True, False])
async def test_a_strangers_attempt_is_not_verified_by_the_owner(world: InMemory, mallory_first: bool) -> None:
    links = {}
    for password in (MALLORYS, PASSWORD) if mallory_first else (PASSWORD, MALLORYS):
        links[password] = await attempt(world, password)
    with pytest.raises(WrongCredentials):
        await world.use_cases.verify_account(links[MALLORYS], PASSWORD)
    assert not await lets_in(world, MALLORYS)
    await world.use_cases.verify_account(links[PASSWORD], PASSWORD)
    assert (await lets_in(world, PASSWORD), await lets_in(world, MALLORYS)) == (True, False)


@settings(max_examples=150, deadline=None)
@given(acts=st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 7)), max_size=14))
async def test_a_password_that_the_clicking_person_did_not_type_never_signs_in(
    acts: list[tuple[bool, int, int]],
) -> None:
    """In every order of attempts (by anybody) and clicks (by the owner, who types one of four passwords)."""
    world = InMemory()
    passwords = [Password(f"password number {number}") for number in range(4)]
    made: list[tuple[str, Password]] = []
    typed_at_a_click: set[Password] = set()
    for clicks, number, at in acts:
        world.clock.advance(timedelta(seconds=1))
        forget_counts(world)
        if not clicks:
            made.append((await attempt(world, passwords[number]), passwords[number]))
        elif made:
            link, chosen = made[at % len(made)]
            typed_at_a_click.add(passwords[number])
            try:
                await world.use_cases.verify_account(link, passwords[number])
            except PicoError:
                continue
            assert chosen == passwords[number]
    for password in passwords:
        if await lets_in(world, password):
            assert password in typed_at_a_click


async def test_what_is_wrong_about_a_link_is_not_told(world: InMemory) -> None:
    used, left = await attempt(world), await attempt(world)
    await world.use_cases.verify_account(used, PASSWORD)
    for link in (used, left):
        for password in (PASSWORD, MALLORYS):
            with pytest.raises(WrongCredentials):
                await world.use_cases.verify_account(link, password)
    for forged in ("", "x", used[:-1] + ("A" if used[-1] != "A" else "B")):
        with pytest.raises(BadToken):
            await world.use_cases.verify_account(forged, PASSWORD)


async def test_an_address_has_few_places_and_the_oldest_attempt_yields(world: InMemory) -> None:
    links = []
    for _ in range(SignUpPlace.MOST + 3):
        world.clock.advance(timedelta(seconds=1))
        forget_counts(world)
        links.append(await attempt(world))
    assert await accounts(world) == SignUpPlace.MOST
    for gone in links[:3]:
        with pytest.raises(WrongCredentials):
            await world.use_cases.verify_account(gone, PASSWORD)
    await world.use_cases.verify_account(links[3], PASSWORD)


async def test_each_attempt_is_gone_after_a_day_however_many_follow(world: InMemory) -> None:
    first = await attempt(world)
    await world.advance(DAY - timedelta(hours=1))
    second = await attempt(world)
    assert await accounts(world) == 2
    await world.advance(timedelta(hours=1) - MOMENT)
    assert await accounts(world) == 2
    await world.advance(MOMENT)
    assert await accounts(world) == 1
    with pytest.raises(BadToken):
        await world.use_cases.verify_account(first, PASSWORD)
    assert await world.mail.holds(ADA), "the second attempt's mail is still waited for"
    await world.use_cases.verify_account(second, PASSWORD)


async def test_nothing_is_left_of_the_last_attempt_after_its_day(world: InMemory) -> None:
    await attempt(world)
    (account_id,) = [one for one in await world.directory.sign_ups(SignUpPlace.every(ADA)) if one]
    assert (await world.use_cases.read_account(account_id)).state is AccountState.UNVERIFIED
    await world.advance(DAY - MOMENT)
    assert await accounts(world) == 1
    await world.advance(MOMENT)
    assert await accounts(world) == 0
    with pytest.raises(KeyGone):
        await world.use_cases.read_account(account_id)
    assert not any(await world.directory.sign_ups(SignUpPlace.every(ADA)))
    assert not await world.mail.holds(ADA)


async def test_an_attempt_at_a_known_address_leaves_nothing_but_a_mail_to_its_owner(world: InMemory) -> None:
    ada = await sign_up(world)
    await attempt(world, MALLORYS)
    assert world.mail.sent[-1].kind is MailKind.ALREADY_REGISTERED
    assert await accounts(world) == 1
    assert await world.mail.holds(ada.email), "an attempt that goes takes none of the owner's mail with it"
    assert not await lets_in(world, MALLORYS)


async def test_the_request_does_the_same_for_every_address(world: InMemory) -> None:
    """The request asks no directory: what it does not know, its time cannot tell."""
    await sign_up(world)
    asked: list[str] = []

    async def ask(canonical: str) -> None:
        asked.append(canonical)

    world.directory.account_by_email = ask  # type: ignore[method-assign]
    for email in (ADA, Email("nobody@example.org")):
        await world.use_cases.sign_up(email, PASSWORD, Label("Ada"), Locale("en"))
    assert not asked
