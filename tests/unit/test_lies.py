"""What a carrier says it deleted counts only when it is read back: while an account lives, and when it is erased."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.outbound.memory.carrier import MemoryCarrier
from application.erasure import EraseAccount
from application.ports.jobs import ERASURE_JOB
from bootstrap.worlds import InMemory
from domain.erasure import Erasure
from domain.kernel import CarrierRef, NotFound
from domain.lines import LineState
from domain.receipts import Receipt
from domain.values import PhoneNumber
from tests.support.actors import PASSWORD, STRANGER, Person, held, with_line
from tests.support.liar import Liar, Lie

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SECOND = PhoneNumber("+12025550144")


async def heard(world: InMemory) -> tuple[Person, CarrierRef]:
    """Make a person with one message, of which the carrier has a copy."""
    ada = await with_line(world)
    ref = await world.carrier.receive(STRANGER, ada.number, "heard")
    await ada.receives("heard", ref=ref)
    return ada, ref


async def test_a_copy_that_the_carrier_only_says_it_deleted_is_asked_for_until_it_is_gone(
    world: InMemory,
) -> None:
    ada, ref = await heard(world)
    world.carrier.lies = True
    for _ in range(3):
        await world.advance(HOUR)
    async with world.store.begin(ada.id) as tx:
        message = await tx.messages.by_ref(ref)
    assert message is not None
    assert message.has_carrier_copy, "believed without reading it back"
    world.carrier.lies = False
    await world.advance(HOUR)
    assert ref not in world.carrier.messages


async def test_a_deleted_message_leaves_its_reference_with_us_until_the_copy_is_gone(world: InMemory) -> None:
    ada, ref = await heard(world)
    async with world.store.begin(ada.id) as tx:
        message = await tx.messages.by_ref(ref)
    assert message is not None
    world.carrier.lies = True
    await world.use_cases.delete_message(ada.id, message.id)
    for _ in range(3):
        await world.advance(HOUR)
    assert (await world.store.count_rows(ada.id))["messages"] == 1
    with pytest.raises(NotFound):
        await world.use_cases.read_message(ada.id, message.id)
    world.carrier.lies = False
    await world.advance(HOUR)
    assert not world.carrier.messages
    assert (await world.store.count_rows(ada.id))["messages"] == 0


class KeepsCopies(MemoryCarrier):
    """Gives numbers back, and only says that it deletes messages."""

    async def delete_copy(self, ref: CarrierRef) -> None:
        self.hear("delete_copy")


async def test_a_line_is_not_released_while_a_message_for_its_number_is_still_listed(world: InMemory) -> None:
    carrier: Any = KeepsCopies(world.clock.now)
    world.carrier = carrier
    world.wire()
    ada = await with_line(world)
    await world.carrier.receive(STRANGER, ada.number, "never delivered")
    await ada.gives_up()
    await world.advance(HOUR)
    assert not world.carrier.numbers
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.RELEASING
    world.carrier.messages.clear()
    await world.advance(HOUR)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.RELEASED


# ------------------------------------------------------------------------- erased means gone, whatever a carrier says

DAY = timedelta(days=1)
SOON = timedelta(seconds=30)
"""Less than the pause."""
MOMENTARY = {Lie.FORGETS, Lie.LISTS_NOTHING}
"""Lies that no other answer contradicts: nothing but the list tells of a message that was never delivered to us.

Asking again finds them out, if the truth is told by then; nobody could find out more.
"""


class Erased:
    """An account with two lines and messages of every kind, and a carrier that lies at one time of its life."""

    def __init__(self, lie: Lie, when: str) -> None:
        self.lie, self.when = lie, when
        self.world = InMemory()
        self.world.pause = MINUTE
        self.world.carrier = self.carrier = Liar(self.world.clock.now)
        self.world.wire()

    async def passes(self) -> None:
        """Live, leave, be erased; at no moment may the receipt say more than is so."""
        await self.lives()
        self.tell("during")
        self.carrier.too_early = 10_000 if self.when == "after" else 0
        await self.waits(30 * DAY)
        await self.relents()
        for _ in range(60):
            if not await self.world.keyring.count(self.ada.id):
                break
            await self.waits(HOUR)
        self.carrier.too_early = 0
        self.tell("after")
        await self.waits(SOON)
        await self.relents()
        for step in (HOUR, HOUR, 7 * HOUR):
            await self.waits(step)
        self.carrier.lie = None
        for _ in range(20):
            await self.waits(7 * HOUR)
        assert await self.receipt() is not None, "never finished"

    async def lives(self) -> None:
        world = self.world
        self.ada = ada = await with_line(world)
        second = (await world.use_cases.buy_line(ada.id, SECOND, None, "second")).line
        self.tell("before")
        for body in ("kept", "deleted"):
            await ada.receives(body, ref=await world.carrier.receive(STRANGER, ada.number, body))
        (conversation,) = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
        newest, _ = (await world.use_cases.list_messages(ada.id, conversation.id, None, 9)).items
        await ada.sends("said")
        await world.carrier.receive(STRANGER, SECOND, "never delivered")
        await world.advance(HOUR)
        await world.use_cases.delete_message(ada.id, newest.id)
        await world.use_cases.release_line(ada.id, second.id)
        for _ in range(4):
            await world.advance(7 * HOUR)
        await world.carrier.receive(STRANGER, ada.number, "unheard of")
        await world.use_cases.delete_account(ada.id, PASSWORD)
        self.carrier.lie = None

    async def relents(self) -> None:
        if self.lie in MOMENTARY:
            await self.waits(SOON)
            self.carrier.lie = None

    def tell(self, when: str) -> None:
        self.carrier.lie = self.lie if when == self.when else None

    async def waits(self, by: timedelta) -> None:
        await self.world.advance(by)
        if await self.receipt() is not None:
            assert not self.carrier.messages, "complete, and a message is left"
            assert not self.carrier.numbers, "complete, and a number is left"
            assert not self.world.store.residues.get(self.ada.id), "complete, and the list is kept"

    async def receipt(self) -> Receipt | None:
        return await self.world.ledger.receipt(await self.world.fingerprint(self.ada.id))


@pytest.mark.parametrize("when", ["before", "during", "after"])
@pytest.mark.parametrize("lie", Lie, ids=lambda lie: lie.name)
async def test_an_erasure_is_never_complete_while_anything_remains(lie: Lie, when: str) -> None:
    await Erased(lie, when).passes()


@pytest.mark.parametrize("released", [False, True])
async def test_an_erasure_leaves_alone_what_the_number_carried_for_others_before_and_after(
    world: InMemory, *, released: bool
) -> None:
    ada = await with_line(world)
    world.clock.advance(HOUR)
    refs = {
        when: await world.carrier.receive(STRANGER, ada.number, when) for when in ("before", "own", "after")
    }
    received = world.clock.now()
    if released:
        await ada.gives_up()
        copies, world.carrier.messages = world.carrier.messages, {}  # a lie: the carrier lists nothing
        await world.settle()
        world.carrier.messages = copies
    apart = {"before": -2 * HOUR, "own": timedelta(), "after": world.clock.now() - received + HOUR}
    for when, ref in refs.items():
        copy = world.carrier.messages[ref]
        world.carrier.messages[ref] = replace(copy, at=copy.at + apart[when])
    eraser = world.use_cases.job_handlers[ERASURE_JOB]
    assert isinstance(eraser, EraseAccount)
    step = next(step for step in eraser.steps if step.name == "numbers")
    await step.run(Erasure(account_id=ada.id, began_at=world.clock.now()), held)
    left = {"before", "after"} if released else {"before"}
    assert set(world.carrier.messages) == {refs[when] for when in left}
