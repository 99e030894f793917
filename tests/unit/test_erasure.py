"""Hard deletion: crash anywhere, same end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.inbound.worker import Worker
from application.erasure import EraseAccount, ErasureBlocked
from application.erasure_step import ErasureStep
from application.erasure_steps import ERASURE_STEPS
from application.hold import Hold
from application.ports.jobs import ERASURE_JOB
from application.ports.keyring import KeyGone
from bootstrap.worlds import InMemory
from domain.erasure import Erasure, NotYetGone
from domain.kernel import AccountId
from tests.support.actors import PASSWORD, STRANGER, Person, sign_up, with_line


async def lived(world: InMemory) -> Person:
    """Make an account that has something in every corner."""
    ada = await with_line(world)
    await ada.receives("incoming", ref=await world.carrier.receive(STRANGER, ada.number, "incoming"))
    await ada.sends("outgoing")
    await world.settle()
    await world.use_cases.start_export(ada.id)
    await world.settle()
    return ada


async def nothing_left(world: InMemory, ada: Person) -> bool:
    """Look into every store."""
    return (
        not any((await world.store.count_rows(ada.id)).values())
        and not await world.keyring.count(ada.id)
        and not world.carrier.numbers
        and not world.carrier.messages
        and not await world.mail.holds(ada.email)
        and await world.store.erasure(ada.id) is None
        and await world.ledger.receipt(await world.fingerprint(ada.id)) is not None
    )


async def test_thirty_days_later_nothing_is_left(world: InMemory) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    early = await world.advance(timedelta(days=30) - timedelta(microseconds=1))
    assert early.counts["accounts"] == 0
    due = await world.advance(timedelta(microseconds=1))
    assert due.counts["accounts"] == 1
    assert await nothing_left(world, ada)
    with pytest.raises(KeyGone):
        await world.use_cases.read_account(ada.id)


async def test_the_receipt_counts_and_names_nobody(world: InMemory) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.advance(timedelta(days=30))
    receipt = await world.ledger.receipt(await world.fingerprint(ada.id))
    assert receipt is not None
    assert receipt.verify(b"k" * 32)
    assert receipt.facts["rows_left"] == receipt.facts["keys_left"] == 0
    assert receipt.facts["numbers_released"] == 1
    assert receipt.facts["rows_deleted"] != 0
    assert str(ada.id) not in json.dumps(dict(receipt.facts))


class Crash(BaseException):
    """The worker died."""


@dataclass(frozen=True)
class Dying:
    """A step that dies before or after it is taken."""

    step: ErasureStep
    when: str

    @property
    def name(self) -> str:
        return self.step.name

    @property
    def needs_keys(self) -> bool:
        return self.step.needs_keys

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        if self.when == "before":
            raise Crash
        await self.step.run(erasure, hold)
        raise Crash


@dataclass(frozen=True)
class Stuck(Dying):
    """A step that is never finished for one account."""

    account_id: AccountId

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        if erasure.account_id == self.account_id:
            raise NotYetGone
        return await self.step.run(erasure, hold)


def eraser(world: InMemory) -> EraseAccount:
    handler = world.use_cases.job_handlers[ERASURE_JOB]
    assert isinstance(handler, EraseAccount)
    return handler


def swap(world: InMemory, name: str, swapped: Callable[[ErasureStep], Any]) -> EraseAccount:
    """Return the eraser with one step swapped."""
    honest = eraser(world)
    return replace(honest, steps=tuple(swapped(step) if step.name == name else step for step in honest.steps))


@pytest.mark.parametrize("step", [step.name for step in ERASURE_STEPS])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_at_any_step_changes_nothing_about_the_end(
    world: InMemory, step: str, when: str
) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.clock.advance(timedelta(days=30))
    await world.use_cases.sweep()
    dying = swap(world, step, lambda honest: Dying(honest, when))
    lease = world.queue.take(ERASURE_JOB)
    with pytest.raises(Crash):
        await dying(ada.id, ada.id, lease)
    world.queue.lapse(lease)
    await world.advance(timedelta(minutes=1))
    assert await nothing_left(world, ada)


async def receipt_of(world: InMemory, ada: Person) -> dict[str, object]:
    receipt = await world.ledger.receipt(await world.fingerprint(ada.id))
    assert receipt is not None
    return {name: fact for name, fact in receipt.facts.items() if name != "finished_at"}


@pytest.mark.parametrize("step", [step.name for step in ERASURE_STEPS])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_receipt_counts_what_every_attempt_deleted(step: str, when: str) -> None:
    receipts = []
    for crashes in (False, True):
        world = InMemory()
        ada = await lived(world)
        await world.use_cases.delete_account(ada.id, PASSWORD)
        world.clock.advance(timedelta(days=30))
        await world.use_cases.sweep()
        lease = world.queue.take(ERASURE_JOB)
        if crashes:
            with pytest.raises(Crash):
                await swap(world, step, lambda honest: Dying(honest, when))(ada.id, ada.id, lease)
        await eraser(world)(ada.id, ada.id, lease)
        receipts.append(await receipt_of(world, ada))
    for receipt in receipts:  # keys and salts differ between two worlds
        del receipt["public_signature"], receipt["audit_head"]
    assert receipts[0] == receipts[1]
    assert receipts[0]["messages_deleted"] == 2
    assert receipts[0]["rows_deleted"] != 0


@pytest.mark.parametrize("part", ["carrier", "mail", "ledger", "keyring"])
async def test_an_outage_holds_up_the_saga_and_nothing_is_called_done(world: InMemory, part: str) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.clock.advance(timedelta(days=30))
    if part != "keyring":  # without keys the account cannot even be closed for good
        await world.use_cases.sweep()
    getattr(world, part).outage = True
    await world.advance(timedelta(seconds=1))
    assert not await nothing_left_but_an_outage(world, ada, part)
    getattr(world, part).outage = False
    await world.advance(timedelta(minutes=1))
    assert await nothing_left(world, ada)


async def nothing_left_but_an_outage(world: InMemory, ada: Person, part: str) -> bool:
    getattr(world, part).outage = False
    try:
        return await nothing_left(world, ada)
    finally:
        getattr(world, part).outage = True


async def test_a_number_that_the_carrier_secretly_keeps_holds_up_the_saga(world: InMemory) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.carrier.lies = True
    await world.advance(timedelta(days=30))
    assert await world.keyring.count(ada.id)
    assert await world.ledger.receipt(await world.fingerprint(ada.id)) is None
    world.carrier.lies = False
    await world.advance(timedelta(minutes=1))
    assert await nothing_left(world, ada)


async def test_a_lost_key_stops_the_saga_instead_of_skipping_what_needs_it(world: InMemory) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.clock.advance(timedelta(days=30))
    await world.use_cases.sweep()
    await world.keyring.destroy(ada.id)
    lease = world.queue.take(ERASURE_JOB)
    with pytest.raises(ErasureBlocked):
        await eraser(world)(ada.id, ada.id, lease)
    world.queue.lapse(lease)
    await world.advance(timedelta(minutes=1))
    assert world.carrier.numbers, "nobody released it, and nobody says so"
    assert await world.ledger.receipt(await world.fingerprint(ada.id)) is None
    assert await world.queue.waiting()


async def test_a_job_that_has_waited_too_long_raises_an_alarm(
    world: InMemory, capfd: pytest.CaptureFixture[str]
) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.carrier.lies = True
    await world.advance(timedelta(days=30))
    for _ in range(12):
        await world.advance(timedelta(minutes=10))
    assert "job overdue" in capfd.readouterr().out
    assert not world.queue.dead, "an erasure is never given up"


async def test_texts_that_cannot_be_deleted_yet_hold_up_the_saga_for_a_day_at_most(world: InMemory) -> None:
    ada = await lived(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.carrier.too_early = 10_000
    await world.advance(timedelta(days=30))
    assert await world.keyring.count(ada.id)
    await world.advance(timedelta(hours=24))
    assert not await world.keyring.count(ada.id)


async def test_one_account_that_cannot_be_finished_holds_up_no_other(world: InMemory) -> None:
    ada, boris = await sign_up(world, "ada"), await sign_up(world, "boris")
    for person in (ada, boris):
        await world.use_cases.delete_account(person.id, PASSWORD)

    stuck = swap(world, "intent", lambda honest: Stuck(honest, "never", ada.id))
    world.worker = Worker(
        replace(world.use_cases, job_handlers={**world.use_cases.job_handlers, ERASURE_JOB: stuck}),
        world.clock,
    )
    await world.advance(timedelta(days=30))
    assert await world.keyring.count(ada.id)
    assert not await world.keyring.count(boris.id)


async def test_the_audit_log_outlives_the_account_and_names_nobody(world: InMemory) -> None:
    ada = await lived(world)
    before = set(world.store.audit_log.commitments)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.advance(timedelta(days=30))
    assert {*world.store.audit_log.commitments} >= before
    assert all(ada.id.bytes not in commitment for commitment in world.store.audit_log.commitments)
