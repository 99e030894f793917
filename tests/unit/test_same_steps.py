"""An address that has its account and one that has not take the same steps: their time can tell nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import TypeAlias

import pytest
from typing_extensions import override

from adapters.outbound.memory.directory import MemoryDirectory
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.limits import MemoryLimits
from adapters.outbound.memory.store import MemoryStore
from adapters.outbound.memory.system import FakeHasher
from application.credentials import WrongCredentials
from application.ports.keyring import AccountKey
from application.ports.passwords import Hashing, Overloaded
from benchmarks.timing import area
from bootstrap.worlds import InMemory
from domain.kernel import AccountId
from domain.limits import Limit, Taking
from domain.values import Email, Label, Locale, Password, PasswordHash
from tests.support.actors import PASSWORD, sign_up

WRONG = Password("wrong horse battery staple")
ADA, NOBODY = Email("ada@example.org"), Email("nobody@example.org")
Act: TypeAlias = Callable[[InMemory, Email], Awaitable[object]]


class NotingKeyring(MemoryKeyring):
    """Notes which key it is asked for how."""

    def __init__(self, steps: list[str]) -> None:
        super().__init__()
        self.steps = steps

    @override
    async def create(self, account_id: AccountId) -> None:
        self.steps.append("create a key")
        await super().create(account_id)

    @override
    async def reopen(self, account_id: AccountId) -> AccountKey:
        self.steps.append("open a key anew")
        return await super().reopen(account_id)


class NotingStore(MemoryStore):
    """Notes every answer."""

    steps: list[str]

    @override
    async def answer(self) -> None:
        self.steps.append("ask the store")
        await super().answer()


class NotingLimits(MemoryLimits):
    """Notes everything that is counted, and never refuses."""

    def __init__(self, steps: list[str]) -> None:
        super().__init__()
        self.steps = steps

    @override
    async def take(self, limit: Limit, of: str, now: datetime, cost: int = 1) -> Taking:
        self.steps.append(f"count {limit.name}")
        return limit.take(None, now, cost)


class NotingHasher(FakeHasher):
    """Notes every hash, and for whom a turn was taken."""

    def __init__(self, steps: list[str]) -> None:
        super().__init__()
        self.steps = steps

    @override
    @asynccontextmanager
    async def turn(self, of: str) -> AsyncIterator[Hashing]:
        self.steps.append(f"turn {'@' in of} {len(of)}")
        async with super().turn(of) as hashing:
            yield hashing

    @override
    async def hash(self, password: Password) -> PasswordHash:
        self.steps.append("hash")
        return await super().hash(password)

    @override
    async def verify(self, password: Password, phc: PasswordHash | None) -> bool:
        self.steps.append("verify")
        return await super().verify(password, phc)


async def sign_in(world: InMemory, email: Email) -> None:
    await world.use_cases.sign_in(email, WRONG)


async def recover(world: InMemory, email: Email) -> None:
    await world.use_cases.recover_account(email, WRONG)


async def sign_up_again(world: InMemory, email: Email) -> None:
    await world.use_cases.sign_up(email, PASSWORD, Label("Somebody"), Locale("en"))


async def reset(world: InMemory, email: Email) -> None:
    await world.use_cases.ask_password_reset(email)


@pytest.mark.parametrize("act", [sign_in, recover, sign_up_again, reset])
async def test_whether_an_address_is_known_makes_no_difference_to_what_is_done(act: Act) -> None:
    steps: list[str] = []
    world = InMemory()
    world.keyring, world.hasher = NotingKeyring(steps), NotingHasher(steps)
    world.limits = NotingLimits(steps)
    world.store = NotingStore(world.keyring, world.queue, world.ids)
    world.store.steps = steps
    world.directory = MemoryDirectory(world.store)
    world.wire()
    await sign_up(world)
    with suppress(WrongCredentials):
        await act(world, NOBODY)  # the decoy's key is made
    taken = []
    for email in (ADA, NOBODY, ADA):
        steps.clear()
        with suppress(WrongCredentials):
            await act(world, email)
        taken.append([step.replace(f" {len(email)}", "") for step in steps])
    assert taken[0] == taken[1] == taken[2]
    assert taken[0] != []


@pytest.mark.parametrize("act", [sign_in, recover, sign_up_again])
async def test_who_gets_no_turn_has_cost_nobody_anything(act: Act) -> None:
    steps: list[str] = []
    world = InMemory()
    world.keyring, world.hasher = NotingKeyring(steps), FakeHasher()
    world.limits = world.limits_here = NotingLimits(steps)
    world.store = NotingStore(world.keyring, world.queue, world.ids)
    world.store.steps = steps
    world.directory = MemoryDirectory(world.store)
    world.wire()
    await sign_up(world)
    steps.clear()
    world.hasher.overloaded = True
    for email in (ADA, NOBODY):
        with pytest.raises(Overloaded):
            await act(world, email)
    assert steps == []


def test_the_area_is_the_chance_that_one_is_greater() -> None:
    assert area([1, 2, 3], [1, 2, 3]) == 0.5
    assert area([4, 5], [1, 2, 3]) == 1
    assert area([0, 2], [1, 2]) == (0 + 0 + 1 + 0.5) / 4
