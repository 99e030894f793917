"""Leaving and coming back: what the preview says, what the ledger is told, and what is open or shut in between."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from typing_extensions import override

from adapters.outbound.memory.system import HandClock
from application.account_deletion import JOBS, DeletionPreview, ShutAccount
from application.credentials import WrongCredentials
from application.ports.clock import ClocksDisagree
from bootstrap.worlds import InMemory
from domain.accounts import Account, NotPendingDeletion
from domain.lines import LineState
from domain.retention import Retention
from domain.values import Password
from tests.support.actors import PASSWORD, Person, sign_up, with_line

DAY = timedelta(days=1)
SOFT = Retention().soft_deleted.keep


async def recorded(world: InMemory, ada: Person) -> datetime | None:
    """Return what the ledger knows of when the account is due."""
    return await world.ledger.requested(await world.fingerprint(ada.id))


async def line_state(world: InMemory, ada: Person) -> LineState:
    return (await world.use_cases.read_line(ada.id, ada.line_id)).state


async def test_the_preview_counts_what_goes_and_says_when(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("one")
    await ada.receives("two")
    due = world.clock.now() + SOFT
    expected = DeletionPreview(due, lines=1, conversations=1, messages=2)
    assert await world.use_cases.preview_deletion(ada.id) == expected
    assert await world.use_cases.delete_account(ada.id, PASSWORD) == expected
    world.clock.advance(DAY)
    assert await world.use_cases.preview_deletion(ada.id) == expected, "the first due time stands"
    stored = world.store.rows(ada.id)[Account][ada.id]
    stored.altered = True
    altered = await world.use_cases.preview_deletion(ada.id)
    assert altered.erase_at == due + DAY, "nobody vouches for when an altered row says that it is due"


async def test_the_ledger_knows_what_was_asked_for_and_that_it_was_taken_back(world: InMemory) -> None:
    ada = await sign_up(world)
    due = world.clock.now() + SOFT
    with pytest.raises(WrongCredentials):
        await world.use_cases.delete_account(ada.id, Password("wrong horse battery staple"))
    assert await recorded(world, ada) is None
    for _ in range(2):
        await world.use_cases.delete_account(ada.id, PASSWORD)
        assert await recorded(world, ada) == due
        world.clock.advance(DAY)
    await world.use_cases.recover_account(ada.email, PASSWORD)
    assert await recorded(world, ada) is None


async def test_who_comes_back_too_late_takes_nothing_back(world: InMemory) -> None:
    ada = await sign_up(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    due = await recorded(world, ada)
    world.clock.advance(SOFT)
    with pytest.raises(NotPendingDeletion):
        await world.use_cases.recover_account(ada.email, PASSWORD)
    assert await recorded(world, ada) == due == world.clock.now()


class Doubtful(HandClock):
    """A clock that no other agrees with."""

    @override
    async def agreed(self) -> datetime:
        raise ClocksDisagree


async def test_while_the_clocks_disagree_nothing_is_asked_for(world: InMemory) -> None:
    ada = await sign_up(world)
    world.clock = Doubtful(world.clock.now())
    world.wire()
    with pytest.raises(ClocksDisagree):
        await world.use_cases.delete_account(ada.id, PASSWORD)
    assert await recorded(world, ada) is None
    assert len(await world.use_cases.list_sessions(ada.id)) == 1


async def test_a_line_is_suspended_for_as_long_as_its_account_is(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    assert await line_state(world, ada) is LineState.SUSPENDED
    back = await world.use_cases.recover_account(ada.email, PASSWORD)
    assert await line_state(world, ada) is LineState.ACTIVE
    assert (await world.use_cases.authenticate(back.token)).session_id == back.session.id


async def test_shutting_an_account_that_is_back_shuts_nothing_and_ends_the_job(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.use_cases.recover_account(ada.email, PASSWORD)
    (job,) = JOBS
    lease = world.queue.take(job.name)
    await ShutAccount(world.store, world.clock)(ada.id, ada.id, lease)
    assert await line_state(world, ada) is LineState.ACTIVE
    assert len(await world.use_cases.list_sessions(ada.id)) == 1
    assert not await world.queue.holds(ada.id, lease)
