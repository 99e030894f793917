"""Each step of an erasure believes only what it reads back, and says how soon it is worth asking again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

import pytest
from typing_extensions import override

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.memory.store import MemoryStore
from application import carrier_copies
from application.asking_again import AskProvidersAgain
from application.carrier_copies import DeleteCarrierCopies
from application.erasure import (
    BeginErasures,
    DeleteRows,
    DestroyKeys,
    EraseAccount,
    VerifyNothingLeft,
)
from application.erasure_step import ErasureStep
from application.hold import Hold
from application.ports.jobs import ERASURE_JOB, Job
from bootstrap.worlds import InMemory
from domain.accounts import Account, AccountState
from domain.epochs import EpochPolicy
from domain.erasure import Erasure, NotYetGone
from domain.kernel import AccountId, SealBroken
from domain.messages import Message
from domain.receipts import PUBLIC, Intent
from domain.residue import Residue
from domain.values import Email, Label, Locale
from tests.support.actors import PASSWORD, STRANGER, Person, held, sign_up, with_line

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
    assert await step(world, DestroyKeys).run(left, held) == {"keys_destroyed": 1, "epoch": 1}, (
        "of an earlier attempt"
    )


async def test_nothing_is_verified_while_a_row_or_a_key_is_left(world: InMemory) -> None:
    ada = await sign_up(world)
    verify = step(world, VerifyNothingLeft)
    with pytest.raises(NotYetGone):
        await verify.run(erasing(world, ada), held)
    await world.keyring.destroy(ada.id)
    with pytest.raises(NotYetGone):
        await verify.run(erasing(world, ada), held)
    await step(world, DeleteRows).run(erasing(world, ada), held)
    assert await verify.run(erasing(world, ada), held) == {"rows_left": 0, "objects_left": 0}
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
    assert await verify.run(erasure, held) == {"rows_left": 0, "objects_left": 0, "messages_deleted": 1}


async def pose_as_an_attempt(world: InMemory, someone: Person) -> Account:
    """Alter a used account's row, as somebody may who writes to the database, so that it looks like a mere attempt."""
    row = world.store.rows(someone.id)[Account][someone.id]
    assert isinstance(row, Account)
    row.state = AccountState.UNVERIFIED
    return row


async def test_an_attempt_to_sign_up_that_was_used_is_none_is_not_erased_and_holds_up_no_other(
    world: InMemory,
) -> None:
    stuck = [await with_line(world, f"stuck{n}", f"+1202555014{n}") for n in range(2)]
    rows = [await pose_as_an_attempt(world, one) for one in stuck]
    world.clock.advance(DAY)
    await world.use_cases.sign_up(Email("eve@example.org"), PASSWORD, Label("Eve"), Locale("en"))
    world.clock.advance(DAY)
    (begin,) = (purge for purge in world.use_cases.sweep.purges if isinstance(purge, BeginErasures))
    results = [await begin(world.clock.now(), 1) for _ in range(4)]
    assert [result.purged for result in results].count(1) == 1, "the attempt that is one waits for ever"
    assert results[-1].failed == {SealBroken.code: 2}
    assert {row.state for row in rows} == {AccountState.UNVERIFIED}


async def test_providers_are_asked_again_when_the_pause_is_over_and_not_before(world: InMemory) -> None:
    world.pause = MINUTE
    world.wire()
    ada = await sign_up(world)
    again, began = step(world, AskProvidersAgain), erasing(world, ada)
    for erasure in (began, began.finish("mail", {}, world.clock.now() + MINUTE)):
        since = erasure.done_at or erasure.began_at
        with pytest.raises(NotYetGone) as early:
            await again.run(erasure, held)
        assert early.value.within == since + MINUTE - world.clock.now()
        world.clock.advance(since + MINUTE - world.clock.now())
        assert await again.run(erasure, held) == {}


@pytest.mark.parametrize("messages", [0, 1, 3])
async def test_copies_that_a_carrier_cannot_delete_are_counted_through_all_pages(
    world: InMemory, monkeypatch: pytest.MonkeyPatch, messages: int
) -> None:
    monkeypatch.setattr(carrier_copies, "BATCH", 1)
    ada = await with_line(world)
    for number in range(messages):
        body = f"message {number}"
        await ada.receives(body, ref=await world.carrier.receive(STRANGER, ada.number, body))
    copies = step(world, DeleteCarrierCopies)
    abilities = world.carrier.message_abilities
    world.carrier.message_abilities = replace(abilities, can_delete_copies=False)
    kept = {"copies_unsupported": messages} if messages else {}
    assert await copies.run(erasing(world, ada), held) == kept
    assert await world.store.residue(ada.id, None, 9) == []
    world.carrier.message_abilities = abilities
    assert await copies.run(erasing(world, ada), held) == {}
    assert len(await world.store.residue(ada.id, None, 9)) == messages
    assert not world.carrier.messages


async def test_a_receipt_says_how_many_keys_are_left_in_the_end(world: InMemory) -> None:
    ada = await sign_up(world)
    world.queue.put([Job(ERASURE_JOB, ada.id, ada.id)])
    fingerprint = await world.fingerprint(ada.id)
    await world.ledger.open_intent(Intent(fingerprint, 1, world.clock.now()))
    eraser = world.use_cases.job_handlers[ERASURE_JOB]
    assert isinstance(eraser, EraseAccount)
    await replace(eraser, steps=())(ada.id, ada.id, world.queue.take(ERASURE_JOB))
    receipt = await world.ledger.receipt(fingerprint)
    assert receipt is not None
    now = world.clock.now()
    by = now + EpochPolicy().period + world.epochs.window
    facts = {name: fact for name, fact in receipt.facts.items() if name not in {"audit_head", PUBLIC}}
    assert facts == {"finished_at": now.isoformat(), "unreadable_by": by.isoformat(), "keys_left": 1}


# ------------------------------------------------------------------------------------------------- one after another


@dataclass(frozen=True)
class Taking(ErasureStep):
    """Counts one, or is stuck."""

    name: str  # type: ignore[misc]  # of an instance: there are several
    stuck: bool = False
    needs_keys: ClassVar[bool] = False

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        if self.stuck:
            raise NotYetGone
        return {self.name: 1}


async def test_a_step_that_is_done_is_on_record_with_its_instant_and_a_finished_erasure_is_not_begun_again(
    world: InMemory,
) -> None:
    ada = await sign_up(world)
    world.queue.put([Job(ERASURE_JOB, ada.id, ada.id)])
    eraser = world.use_cases.job_handlers[ERASURE_JOB]
    assert isinstance(eraser, EraseAccount)
    fingerprint = await world.fingerprint(ada.id)
    await world.ledger.open_intent(Intent(fingerprint, 1, world.clock.now()))
    lease, began = world.queue.take(ERASURE_JOB), world.clock.now()
    world.clock.advance(MINUTE)
    first, second = Taking("first"), Taking("second")
    with pytest.raises(NotYetGone):
        await replace(eraser, steps=(first, Taking("second", stuck=True)))(ada.id, ada.id, lease)
    done = await world.store.erasure(ada.id)
    assert done == Erasure(
        account_id=ada.id, began_at=began + MINUTE, done="first", done_at=began + MINUTE, counts={"first": 1}
    )
    world.clock.advance(MINUTE)
    await replace(eraser, steps=(Taking("first", stuck=True), second))(ada.id, ada.id, lease)
    receipt = await world.ledger.receipt(fingerprint)
    assert receipt is not None
    assert (receipt.facts["first"], receipt.facts["second"]) == (1, 1)
    assert await world.store.erasure(ada.id) is None
    await replace(eraser, steps=(Taking("first", stuck=True),))(ada.id, ada.id, lease)


async def test_the_copy_of_an_altered_message_is_not_asked_for_by_its_reference(world: InMemory) -> None:
    ada = await with_line(world)
    refs = [await world.carrier.receive(STRANGER, ada.number, body) for body in ("own", "altered")]
    for ref in refs:
        await ada.receives("said", ref=ref)
    for message in world.store.rows(ada.id)[Message].values():
        message.altered = getattr(message, "ref", None) == refs[1]
    await step(world, DeleteCarrierCopies).run(erasing(world, ada), held)
    assert list(world.carrier.messages) == [refs[1]], "it may be somebody else's"
