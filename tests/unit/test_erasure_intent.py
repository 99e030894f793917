"""The ledger hears of an erasure before anything is lost, and of none that nobody vouches for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from application.erasure import DestroyKeys, EraseAccount, RecordIntent
from application.erasure_step import ErasureStep
from application.ports.jobs import ERASURE_JOB
from application.ports.store import JobGone
from bootstrap.worlds import InMemory
from domain.accounts import Account, AccountState
from domain.erasure import Erasure
from domain.kernel import SealBroken
from domain.live import LiveEvent
from domain.receipts import Intent
from domain.sessions import Session
from tests.support.actors import Person, held, sign_up, with_line


def step(world: InMemory, kind: type[ErasureStep]) -> ErasureStep:
    eraser = world.use_cases.job_handlers[ERASURE_JOB]
    assert isinstance(eraser, EraseAccount)
    return next(step for step in eraser.steps if type(step) is kind)


def erasing(world: InMemory, ada: Person) -> Erasure:
    return Erasure(account_id=ada.id, began_at=world.clock.now())


async def account_in(world: InMemory, state: AccountState, *, altered: bool, used: bool) -> Person:
    ada = await (with_line if used else sign_up)(world)
    row = world.store.rows(ada.id)[Account][ada.id]
    assert isinstance(row, Account)
    row.state, row.altered = state, altered
    if not used:  # an attempt to sign up is not verified, opens no session, and nothing happens in it
        row.verified_at = None
        world.store.rows(ada.id)[Session].clear()
        world.store.rows(ada.id)[LiveEvent].clear()
    return ada


@pytest.mark.parametrize("used", [False, True])
@pytest.mark.parametrize("altered", [False, True])
@pytest.mark.parametrize("asked", [None, timedelta(), timedelta(microseconds=1)])
@pytest.mark.parametrize("state", [AccountState.ACTIVE, AccountState.ERASING])
async def test_an_erasure_is_put_on_record_if_the_account_or_the_ledger_vouches_for_it(
    world: InMemory, state: AccountState, asked: timedelta | None, *, altered: bool, used: bool
) -> None:
    ada = await account_in(world, state, altered=altered, used=used)
    fingerprint, erasure = await world.fingerprint(ada.id), erasing(world, ada)
    if asked is not None:
        await world.ledger.note_request(fingerprint, world.clock.now() + asked)
    is_due = asked == timedelta()
    record = step(world, RecordIntent)
    if state is AccountState.ERASING and (not altered or is_due or not used):
        assert await record.run(erasure, held) == {}
        assert await world.ledger.intent(fingerprint) == Intent(fingerprint, 1, erasure.began_at)
        await world.store.delete_rows(ada.id)
        assert await record.run(erasure, held) == {}, "the first intent stands, whatever is gone by now"
    else:
        with pytest.raises(SealBroken):
            await record.run(erasure, held)
        assert await world.ledger.intent(fingerprint) is None


async def lost() -> None:
    raise JobGone


async def test_a_worker_that_lost_the_job_puts_nothing_on_record_and_destroys_nothing(
    world: InMemory,
) -> None:
    ada = await account_in(world, AccountState.ERASING, altered=False, used=False)
    for kind in (RecordIntent, DestroyKeys):
        with pytest.raises(JobGone):
            await step(world, kind).run(erasing(world, ada), lost)
    assert await world.ledger.intent(await world.fingerprint(ada.id)) is None
    assert await world.keyring.count(ada.id) == 1
