"""Messages that come in: each once, for whoever holds the number, whatever became of it since."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest

from adapters.outbound.memory.directory import MemoryDirectory
from application.inbound_messages import DeliveryReceipt, InboundMessage
from application.ports.directory import Lease
from application.ports.keyring import KeyGone
from bootstrap.worlds import InMemory
from domain.erasure import Erasure
from domain.failures import FailureReason
from domain.kernel import CarrierRef
from domain.messages import Status
from domain.values import MessageBody, Peer
from tests.support.actors import STRANGER, with_line
from tests.support.messaging import only_message, ref_of


async def test_a_message_comes_in_once_however_often_it_is_delivered(world: InMemory) -> None:
    ada = await with_line(world)
    for _ in range(20):
        await ada.receives("hello", ref="SM1")
    conversation, message = await only_message(ada)
    assert (message.body, message.status, conversation.unread) == ("hello", Status.RECEIVED, 1)


async def test_a_message_that_the_person_deleted_does_not_come_back(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("hello", ref="SM1")
    _, message = await only_message(ada)
    await world.use_cases.delete_message(ada.id, message.id)
    await world.advance(timedelta(hours=1))
    await ada.receives("hello", ref="SM1")
    assert await ada.inbox() == []


@pytest.mark.parametrize("days", [61, 4000])
@pytest.mark.parametrize("deleted", ["message", "conversation", "nothing"])
async def test_a_message_delivered_again_after_months_changes_nothing(
    world: InMemory, deleted: str, days: int
) -> None:
    ada = await with_line(world)
    await ada.receives("hello", ref="SM1")
    conversation, message = await only_message(ada)
    if deleted == "message":
        await world.use_cases.delete_message(ada.id, message.id)
    elif deleted == "conversation":
        await world.use_cases.delete_conversation(ada.id, conversation.id)
    await world.advance(timedelta(days=days))
    await ada.receives("hello", ref="SM1")
    assert await ada.inbox() == (["hello"] if deleted == "nothing" else [])


async def test_what_comes_for_an_account_whose_key_is_lost_is_not_taken_for_done(world: InMemory) -> None:
    ada = await with_line(world)
    await world.keyring.destroy(ada.id)
    with pytest.raises(KeyGone):
        await ada.receives("hello")
    with pytest.raises(KeyGone):
        await world.use_cases.apply_delivery_receipt(
            DeliveryReceipt(ada.number, CarrierRef("SM1"), None, Status.SENT)
        )
    await world.store.checkpoint(Erasure(account_id=ada.id, began_at=world.clock.now()))
    await ada.receives("erasure destroyed it: nobody is there")


@pytest.mark.parametrize("status", list(Status))
async def test_a_report_about_a_message_that_came_in_changes_nothing(world: InMemory, status: Status) -> None:
    ada = await with_line(world)
    await ada.receives("hello", ref="SM1")
    _, message = await only_message(ada)
    before = await world.use_cases.read_message(ada.id, message.id)
    await world.use_cases.apply_delivery_receipt(
        DeliveryReceipt(ada.number, CarrierRef("SM1"), message.id, status, FailureReason.UNKNOWN)
    )
    assert await world.use_cases.read_message(ada.id, message.id) == before


class RememberingDirectory(MemoryDirectory):
    """Answers what it first heard about a number, unless it is asked anew."""

    remembered: ClassVar[dict[str, Lease | None]] = {}

    async def line(self, number: str, *, fresh: bool = False) -> Lease | None:
        if fresh or number not in self.remembered:
            self.remembered[number] = await super().line(number, fresh=fresh)
        return self.remembered[number]


@pytest.mark.parametrize("addressed", [True, False], ids=["to a line", "to a number"])
async def test_a_lease_that_is_only_remembered_proves_nothing(world: InMemory, *, addressed: bool) -> None:
    world.directory = RememberingDirectory(world.store)
    RememberingDirectory.remembered.clear()
    world.wire()
    ada = await with_line(world, "ada", "+12025550143")
    await ada.receives("for Ada")
    remembered = dict(RememberingDirectory.remembered)
    await ada.gives_up()
    await world.settle()
    boris = await with_line(world, "boris", "+12025550143")
    RememberingDirectory.remembered.update(remembered)
    line_id = boris.line_id if addressed else None
    await world.use_cases.receive_message(
        InboundMessage(CarrierRef("SM9"), boris.number, STRANGER, MessageBody("for Boris"), line_id=line_id)
    )
    assert await boris.inbox() == ["for Boris"]
    assert await ada.inbox() == ["for Ada"]


async def test_a_recycled_number_brings_nothing_of_its_former_owner(world: InMemory) -> None:
    ada = await with_line(world, "ada", "+12025550143")
    await ada.receives("for Ada")
    sent = await ada.sends("from Ada")
    await world.settle()
    ref = await ref_of(ada, sent.id)
    await ada.gives_up()
    await world.settle()
    boris = await with_line(world, "boris", "+12025550143")
    assert boris.line
    assert ada.line
    assert boris.line.ref == ada.line.ref
    await world.use_cases.apply_delivery_receipt(
        DeliveryReceipt(boris.number, ref, sent.id, Status.DELIVERED)
    )
    await boris.receives("for Boris")
    assert await boris.inbox() == ["for Boris"]
    assert sorted(await ada.inbox()) == ["for Ada", "from Ada"]
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is not Status.DELIVERED


async def test_a_message_meant_for_the_numbers_former_owner_does_not_reach_the_next(world: InMemory) -> None:
    ada = await with_line(world, "ada", "+12025550143")
    late = InboundMessage(
        CarrierRef("SM1"), ada.number, STRANGER, MessageBody("for Ada"), line_id=ada.line_id
    )
    await ada.gives_up()
    await world.settle()
    boris = await with_line(world, "boris", "+12025550143")
    await world.use_cases.receive_message(late)
    assert await boris.inbox() == []
    assert await ada.inbox() == []


async def test_short_codes_and_names_are_peers_too(world: InMemory) -> None:
    ada = await with_line(world)
    for sender in ("72345", "PICO BANK"):
        await ada.receives(f"from {sender}", Peer(sender))
    assert len((await world.use_cases.list_conversations(ada.id, None, None, 9)).items) == 2
