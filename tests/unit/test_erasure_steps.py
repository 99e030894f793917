"""Each step of an erasure believes only what it reads back, and says how soon it is worth asking again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from typing_extensions import override

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.store import MemoryStore
from application.erasure import BeginErasures, DeleteRows, DestroyKeys, EraseAccount, VerifyNothingLeft
from application.erasure_step import ErasureStep
from application.ports.jobs import ERASURE_JOB
from bootstrap.worlds import InMemory
from domain.accounts import Account, AccountState
from domain.erasure import Erasure, NotYetGone
from domain.kernel import AccountId, SealBroken
from domain.receipts import Intent
from domain.residue import Residue
from tests.support.actors import STRANGER, Person, held, sign_up, with_line

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def step(world: InMemory, kind: type[ErasureStep]) -> ErasureStep:
    eraser = world.use_cases.job_handlers[ERASURE_JOB]
    assert isinstance(eraser, EraseAccount)
    return next(step for step in eraser.steps if type(step) is kind)


def erasing(world: InMemory, ada: Person) -> Erasure:
    return Erasure(account_id=ada.id, began_at=world.clock.now())


class Keeps(MemoryKeyring):
    """Says that it destroys keys, and keeps them."""

    @override
    async def destroy(self, account_id: AccountId) -> int:
        return 1


async def test_keys_that_are_still_there_are_not_destroyed() -> None:
    world = InMemory()
    world.keyring = Keeps()
    world.store = MemoryStore(world.keyring, world.queue, world.ids)
    world.wire()
    await world.keyring.create(ada := AccountId(UUID(int=1)))
    erasure = Erasure(account_id=ada, began_at=world.clock.now())
    with pytest.raises(NotYetGone):
        await step(world, DestroyKeys).run(erasure, held)
    await MemoryKeyring.destroy(world.keyring, ada)
    left = await world.store.erasure(ada)
    assert left is not None
    assert await step(world, DestroyKeys).run(left, held) == {"keys_destroyed": 1}, "of an earlier attempt"


async def test_nothing_is_verified_while_a_row_or_a_key_is_left(world: InMemory) -> None:
    ada = await sign_up(world)
    verify = step(world, VerifyNothingLeft)
    with pytest.raises(NotYetGone):
        await verify.run(erasing(world, ada), held)
    await world.keyring.destroy(ada.id)
    with pytest.raises(NotYetGone):
        await verify.run(erasing(world, ada), held)
    await step(world, DeleteRows).run(erasing(world, ada), held)
    assert await verify.run(erasing(world, ada), held) == {"rows_left": 0}
    await world.keyring.create(ada.id)
    with pytest.raises(NotYetGone):
        await verify.run(erasing(world, ada), held)


async def test_what_was_missed_once_is_asked_for_again_after_the_pause(world: InMemory) -> None:
    world.pause = MINUTE
    world.wire()
    ada = AccountId(UUID(int=1))
    erasure = Erasure(account_id=ada, began_at=world.clock.now())
    verify = step(world, VerifyNothingLeft)
    await world.ledger.open_intent(Intent(await world.fingerprint(ada), 1, world.clock.now()))
    ref = await world.carrier.receive(STRANGER, (await with_line(world)).number, "x")
    await world.store.add_residue([Residue.message(ada, ref)])
    world.carrier.lies = True
    with pytest.raises(NotYetGone) as holds:
        await verify.run(erasure, held)
    assert holds.value.within is None, "when a provider deletes what it holds nobody can say"
    assert await world.ledger.interim(await world.fingerprint(ada)) is not None
    world.carrier.lies = False
    with pytest.raises(NotYetGone) as missed:
        await verify.run(erasure, held)
    assert missed.value.within == MINUTE
    world.clock.advance(MINUTE)
    assert await verify.run(erasure, held) == {"rows_left": 0, "messages_deleted": 1}


async def test_an_attempt_to_sign_up_that_was_used_is_none_and_is_not_erased(world: InMemory) -> None:
    ada = await with_line(world)
    row = world.store.rows(ada.id)[Account][ada.id]
    assert isinstance(row, Account)
    row.state = AccountState.UNVERIFIED  # as somebody may have it who writes to the database
    world.clock.advance(2 * DAY)
    (begin,) = (purge for purge in world.use_cases.sweep.purges if isinstance(purge, BeginErasures))
    result = await begin(world.clock.now(), 9)
    assert (result.purged, result.failed) == (0, {SealBroken.code: 1})
    assert row.state is AccountState.UNVERIFIED
