"""Soft delete and recovery leave no session that a sign-in began beside them, whichever order they take turns in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from adapters.outbound.memory.directory import MemoryDirectory
from adapters.outbound.memory.store import MemoryStore
from application.account_deletion import DeleteAccount, ShutAccount
from application.ports.jobs import JobLease
from application.sessions import SignedIn, Unauthenticated
from bootstrap.worlds import InMemory
from domain.accounts import PendingDeletion
from domain.kernel import AccountId, PicoError, SessionId
from domain.retention import Retention
from domain.sessions import Session
from domain.values import Label
from tests.support.actors import PASSWORD, Person, sign_up

TURNS = st.lists(st.integers(0, 6), max_size=40)
laws = settings(max_examples=200, deadline=None)


class TakingTurns(MemoryStore):
    """A store whose every answer lets others go first for a number of turns, drawn beforehand."""

    turns: list[int]

    @override
    async def answer(self) -> None:
        for _ in range(self.turns.pop() if self.turns else 1):
            await asyncio.sleep(0)


async def turned(turns: list[int]) -> tuple[InMemory, Person]:
    world = InMemory()
    world.store = store = TakingTurns(world.keyring, world.queue, world.ids)
    store.turns = []
    world.directory = MemoryDirectory(store)
    world.wire()
    ada = await sign_up(world)
    store.turns = list(turns)
    return world, ada


async def tried(act: Awaitable[object]) -> object:
    try:
        return await act
    except PicoError as no:
        return no


async def opens(world: InMemory, signed_in: SignedIn) -> bool:
    try:
        await world.use_cases.authenticate(signed_in.token)
    except Unauthenticated:
        return False
    return True


@laws
@given(turns=TURNS, sign_ins=st.integers(1, 3))
async def test_no_session_survives_a_soft_delete_or_lives_again_after_recovery(
    turns: list[int], sign_ins: int
) -> None:
    world, ada = await turned(turns)
    coming = [tried(world.use_cases.sign_in(ada.email, PASSWORD)) for _ in range(sign_ins)]
    _, *came = await asyncio.gather(world.use_cases.delete_account(ada.id, PASSWORD), *coming)
    assert await world.use_cases.list_sessions(ada.id) == []
    began = [ada.signed_in, *(one for one in came if isinstance(one, SignedIn))]
    assert {type(one) for one in came} <= {SignedIn, PendingDeletion}
    assert [await opens(world, one) for one in began] == [False] * len(began)
    back = await world.use_cases.recover_account(ada.email, PASSWORD)
    assert [session.id for session in await world.use_cases.list_sessions(ada.id)] == [back.session.id]


@laws
@given(turns=TURNS)
async def test_coming_back_while_deletion_is_under_way_ends_in_one_of_both_states(turns: list[int]) -> None:
    world, ada = await turned(turns)
    _, back = await asyncio.gather(
        world.use_cases.delete_account(ada.id, PASSWORD),
        tried(world.use_cases.recover_account(ada.email, PASSWORD)),
    )
    account = await world.use_cases.read_account(ada.id)
    left = [session.id for session in await world.use_cases.list_sessions(ada.id)]
    assert account.is_active == isinstance(back, SignedIn)
    assert left == ([back.session.id] if isinstance(back, SignedIn) else [])
    assert not await opens(world, ada.signed_in)


class Died(BaseException):
    """The process ended."""


class Dying(ShutAccount):
    async def commit(self, account_id: AccountId, lease: JobLease | None = None) -> None:
        raise Died


async def test_a_process_that_dies_between_the_two_commits_leaves_no_session_either(world: InMemory) -> None:
    ada = await sign_up(world)
    delete = world.use_cases.delete_account
    assert isinstance(delete, DeleteAccount)
    with pytest.raises(Died):
        await replace(delete, shut_account=Dying(world.store, world.clock))(ada.id, PASSWORD)
    async with world.store.begin(ada.id) as tx:  # as a sign-in would that the first commit did not see
        tx.save(
            Session.open(
                ada.id, SessionId(world.ids.new()), world.tokens.session(), world.clock.now(), Retention()
            )
        )
    await world.settle()
    assert await world.use_cases.list_sessions(ada.id) == []


async def test_a_session_that_was_left_open_does_not_come_back_with_the_account(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.settle()
    async with world.store.begin(ada.id) as tx:
        tx.save(
            Session.open(
                ada.id, SessionId(world.ids.new()), world.tokens.session(), world.clock.now(), Retention()
            )
        )
    back = await world.use_cases.recover_account(ada.email, PASSWORD)
    assert [session.id for session in await world.use_cases.list_sessions(ada.id)] == [back.session.id]


async def test_a_session_carries_the_label_that_its_person_gave_it(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.sign_in(ada.email, PASSWORD, label=Label("kitchen tablet"))
    assert [session.label for session in await world.use_cases.list_sessions(ada.id)] == [
        "kitchen tablet",
        None,
    ]
