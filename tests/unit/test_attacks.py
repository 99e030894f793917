"""Each of these is an attack that succeeded when it was written: the test states what must hold instead."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from application.erasure import BeginErasures, EraseAccount
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.jobs import ERASURE_JOB
from application.ports.numbers import NumberOrder
from bootstrap.worlds import InMemory
from domain.erasure import Erasure
from domain.kernel import LineId, PicoError
from domain.lines import NumberTaken
from domain.retention import Retention
from domain.values import PhoneNumber
from tests.support.actors import PASSWORD, STRANGER, held, sign_up, with_line

MONTH = timedelta(days=31)


@pytest.mark.parametrize("goodbye", ["account", "line"])
async def test_no_text_leaves_after_goodbye(goodbye: str) -> None:
    world = InMemory()
    ada = await with_line(world)
    world.carrier.outage = True
    await ada.sends("too late")
    await world.settle()
    if goodbye == "account":
        await world.use_cases.delete_account(ada.id, PASSWORD)
    else:
        await world.use_cases.release_line(ada.id, ada.line_id)
    world.carrier.outage = False
    await world.advance(timedelta(minutes=1))
    assert not world.carrier.messages


async def test_no_number_is_bought_after_goodbye() -> None:
    world = InMemory()
    ada = await sign_up(world)
    world.carrier.outage = True
    await world.use_cases.buy_line(ada.id, PhoneNumber("+12025550143"), None, "k")
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.carrier.outage = False
    await world.advance(timedelta(minutes=5))
    assert not world.carrier.numbers


async def test_a_purchase_under_way_while_erasing_leaves_no_number() -> None:
    world = InMemory()
    ada = await sign_up(world)
    world.carrier.outage = True
    line = (await world.use_cases.buy_line(ada.id, PhoneNumber("+12025550143"), None, "k")).line
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.clock.advance(MONTH)
    world.carrier.outage = False
    order = world.carrier.order

    async def slow(number: PhoneNumber, line_id: LineId) -> NumberOrder:
        await world.use_cases.sweep()  # the carrier takes its time; meanwhile the saga runs
        return await order(number, line_id)

    world.carrier.order = slow  # type: ignore[method-assign]
    await _quietly(world, ada.id, line.id)
    world.carrier.order = order  # type: ignore[method-assign]
    await world.advance(timedelta(days=2))
    assert not world.carrier.numbers


async def _quietly(world: InMemory, account_id: Any, line_id: Any) -> None:
    try:
        await world.use_cases.buy_line.complete_purchase.now(account_id, line_id)
    except PicoError:
        return


async def test_a_text_that_arrives_between_two_steps_of_the_saga_is_purged_too() -> None:
    world = InMemory()
    ada = await with_line(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    release = world.carrier.release

    async def late(ref: Any, line_id: Any) -> None:
        await world.carrier.receive(STRANGER, ada.number, "just before you let go")
        await release(ref, line_id)

    world.carrier.release = late  # type: ignore[method-assign]
    await world.advance(MONTH)
    await world.advance(timedelta(days=2))
    assert not await world.keyring.count(ada.id), "the saga must finish"
    assert not world.carrier.messages


async def test_a_text_dropped_while_a_line_is_being_released_is_purged() -> None:
    world = InMemory()
    ada = await with_line(world)
    world.carrier.lies = True
    await ada.gives_up()
    await world.settle()
    await ada.receives("gone?", ref=await world.carrier.receive(STRANGER, ada.number, "gone?"))
    world.carrier.lies = False
    await world.advance(timedelta(minutes=5))
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.advance(MONTH)
    assert not world.carrier.messages


async def test_a_text_deleted_while_the_carriers_answer_is_lost_is_purged() -> None:
    world = InMemory()
    ada = await with_line(world)
    text = await ada.sends("forget this")
    send = world.carrier.send

    async def lost(*args: Any) -> Any:
        await send(*args)
        world.carrier.send = send  # type: ignore[method-assign]
        await world.use_cases.delete_message(ada.id, text.id)
        raise CarrierUnavailable

    world.carrier.send = lost  # type: ignore[assignment, method-assign]
    await world.settle()
    for _ in range(5):
        await world.advance(timedelta(days=1))
    assert not world.carrier.messages


async def test_erasure_takes_no_account_that_is_not_due() -> None:
    """A recovery that read the clock just before the due time commits after the sweep has listed the account."""
    world = InMemory()
    ada = await with_line(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.use_cases.recover_account(ada.email, PASSWORD)
    begin = BeginErasures(
        store=world.store, directory=world.directory, retention=Retention(), ledger=world.ledger,
        fingerprint=world.fingerprint,
    )  # fmt: skip
    assert not await begin.begin(ada.id, world.clock.now())
    assert (await world.use_cases.read_account(ada.id)).state == "active"


async def test_accounts_that_cannot_be_begun_do_not_keep_others_from_their_erasure() -> None:
    world = InMemory()
    forged, ada = await sign_up(world, "forged"), await sign_up(world)
    for person in (forged, ada):
        await world.use_cases.delete_account(person.id, PASSWORD)
        world.clock.advance(timedelta(hours=1))
    await world.ledger.note_request(await world.fingerprint(forged.id), None)  # nobody ever asked for it
    world.clock.advance(MONTH)
    begin = BeginErasures(
        store=world.store, directory=world.directory, retention=Retention(), ledger=world.ledger,
        fingerprint=world.fingerprint,
    )  # fmt: skip
    results = [await begin(world.clock.now(), limit=1) for _ in range(2)]
    assert [result.purged for result in results] == [0, 1]
    assert all(result.failed for result in results), "and each sweep tries the others again"


async def test_a_saga_whose_last_checkpoint_was_lost_still_ends() -> None:
    world = InMemory()
    ada = await with_line(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    world.clock.advance(MONTH)
    await world.use_cases.sweep()
    eraser = world.use_cases.job_handlers[ERASURE_JOB]
    assert isinstance(eraser, EraseAccount)
    erasure = Erasure(account_id=ada.id, began_at=world.clock.now())
    for step in eraser.steps:
        await step.run(erasure, held)
        if step.name == "keys":
            break  # killed before it could say so
        erasure = erasure.finish(step.name, {})
        await world.store.checkpoint(erasure)
    await world.advance(timedelta(days=2))
    assert not any((await world.store.count_rows(ada.id)).values())
    assert not await world.queue.waiting()


async def test_a_failed_order_leaves_the_number_to_others() -> None:
    world = InMemory()
    ada, bob = await sign_up(world), await sign_up(world, "bob")
    number = PhoneNumber("+12025550143")
    world.carrier.outage = True
    await world.use_cases.buy_line(ada.id, number, None, "k")
    with pytest.raises(NumberTaken):
        await world.use_cases.buy_line(bob.id, number, None, "k")
    world.carrier.outage = False
    world.carrier.taken.add(number)
    await world.advance(timedelta(minutes=1))
    world.carrier.taken.clear()
    await world.use_cases.buy_line(bob.id, number, None, "k2")


async def test_an_export_whose_download_a_crash_cut_short_is_gone_soon() -> None:
    world = InMemory()
    ada = await with_line(world)
    export = await world.use_cases.start_export(ada.id)
    await world.settle()
    await world.use_cases.download_export(ada.id, export.id, PASSWORD)  # kill -9 before the last slice
    await world.advance(timedelta(minutes=11))
    assert not (await world.store.count_rows(ada.id))["export_parts"]
