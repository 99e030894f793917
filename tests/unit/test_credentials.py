"""Checking a password: in whose name a place is taken, and what a missing account or a broken one comes to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from typing_extensions import override

from adapters.outbound.memory.system import FakeHasher
from application.credentials import DECOY, VerifyPassword, WrongCredentials
from application.ports.keyring import KeyGone
from application.ports.passwords import Hashing
from application.sessions import SignIn
from bootstrap.worlds import InMemory
from domain.accounts import Account, PasswordUnreadable
from domain.kernel import SealBroken
from domain.values import Email, Password
from tests.support.actors import PASSWORD, Person, sign_up

WRONG = Password("wrong horse battery staple")


class NotingHasher(FakeHasher):
    """Notes in whose name each place is taken."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    @override
    @asynccontextmanager
    async def turn(self, of: str) -> AsyncIterator[Hashing]:
        self.places.append(of)
        async with super().turn(of) as hashing:
            yield hashing


def verifying(world: InMemory) -> VerifyPassword:
    sign_in = world.use_cases.sign_in
    assert isinstance(sign_in, SignIn)
    return sign_in.verify_password


async def test_a_place_at_the_hasher_is_taken_in_the_name_of_whose_password_it_is(world: InMemory) -> None:
    world.hasher = noting = NotingHasher()
    world.wire()
    ada = await sign_up(world)
    address, account = ada.email.canonical, str(ada.id)
    assert noting.places == [address, account], "of whoever signs up, then of whoever follows the link"
    noting.places.clear()
    noting.strength += 1
    await world.use_cases.sign_in(ada.email, PASSWORD)
    assert noting.places == [address, account], "of whom is said to sign in, then of whose hash is renewed"
    noting.places.clear()
    await world.use_cases.delete_account(ada.id, PASSWORD)
    with pytest.raises(WrongCredentials):
        await world.use_cases.recover_account(Email("Nobody@Example.org"), PASSWORD)
    assert noting.places == [account, "nobody@example.org"]


async def test_who_is_gone_is_answered_like_a_wrong_password(world: InMemory) -> None:
    ada, check = await sign_up(world), verifying(world)
    assert (
        (await check.by_id(ada.id, PASSWORD)).id == (await check.by_email(ada.email, PASSWORD)).id == ada.id
    )
    await world.store.delete_rows(ada.id)
    with pytest.raises(WrongCredentials):
        await check.by_id(ada.id, PASSWORD)
    await world.keyring.destroy(ada.id)
    for email in (ada.email, Email("nobody@example.org"), ada.email):
        for way in (check.by_id(ada.id, PASSWORD), check.by_email(email, PASSWORD)):
            with pytest.raises(WrongCredentials):
                await way
    assert await world.keyring.count(DECOY) == 1, "there is no key to open in place of one that is missing"
    await world.settle()
    rows = await world.store.count_rows(DECOY)
    assert {name: count for name, count in rows.items() if count} == {"accounts": 1}, "nobody's log has grown"
    with pytest.raises(KeyGone):
        await check.of_caller(ada.id, PASSWORD)


def stored(world: InMemory, ada: Person) -> Account:
    account = world.store.rows(ada.id)[Account][ada.id]
    assert isinstance(account, Account)
    return account


async def test_an_altered_account_opens_to_whoever_is_signed_in_already_and_to_nobody_else(
    world: InMemory,
) -> None:
    ada, check = await sign_up(world), verifying(world)
    stored(world, ada).altered = True
    assert (await check.of_caller(ada.id, PASSWORD)).id == ada.id
    for way in (check.by_id(ada.id, PASSWORD), check.by_email(ada.email, PASSWORD)):
        with pytest.raises(SealBroken):
            await way
    for way in (
        check.by_id(ada.id, WRONG),
        check.by_email(ada.email, WRONG),
        check.of_caller(ada.id, WRONG),
    ):
        with pytest.raises(WrongCredentials):
            await way


async def test_where_the_hash_does_not_open_no_password_is_the_right_one(world: InMemory) -> None:
    ada, check = await sign_up(world), verifying(world)
    stored(world, ada).unreadable = frozenset({"password"})
    for way in (check.by_id(ada.id, PASSWORD), check.by_email(ada.email, PASSWORD)):
        with pytest.raises(WrongCredentials):
            await way
    with pytest.raises(PasswordUnreadable):
        await check.of_caller(ada.id, PASSWORD)
    stored(world, ada).unreadable = frozenset({"display_name"})
    assert (await check.of_caller(ada.id, PASSWORD)).id == (await check.by_id(ada.id, PASSWORD)).id == ada.id


async def test_an_account_that_an_address_leads_to_must_have_it(world: InMemory) -> None:
    ada, check = await sign_up(world), verifying(world)
    world.store.claims["address", "eve@example.org"] = (ada.id, ada.id)
    with pytest.raises(SealBroken):
        await check.by_email(Email("eve@example.org"), PASSWORD)
