"""Messages in and out, whatever breaks on the way."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest

from adapters.outbound.memory.directory import MemoryDirectory
from adapters.outbound.memory.system import CountingIds
from application.carrier_copies import delete_verified
from application.inbound_messages import DeliveryReceipt, InboundMessage
from application.ports.directory import Lease
from application.ports.keyring import KeyGone
from application.ports.message_carrier import MessageAbilities, TooEarly
from application.ports.repositories.conversations import ConversationRow
from application.ports.repositories.messages import MessageRow
from bootstrap.worlds import InMemory
from domain.erasure import Erasure, NotYetGone
from domain.failures import FailureReason
from domain.idempotency import IdempotencyMismatch
from domain.kernel import CarrierRef, MessageId, NotFound
from domain.messages import PeerOptedOut, Status
from domain.values import MessageBody, Peer, PhoneNumber
from tests.support.actors import STRANGER, Person, held, with_line


async def ref_of(ada: Person, message_id: MessageId) -> CarrierRef:
    """Return how the carrier calls a message."""
    ref = (await ada.keeps(message_id)).ref
    assert ref is not None
    return ref


async def only_message(ada: Person) -> tuple[ConversationRow, MessageRow]:
    (conversation,) = (await ada.world.use_cases.list_conversations(ada.id, None, None, 9)).items
    (message,) = (await ada.world.use_cases.list_messages(ada.id, conversation.id, None, 9)).items
    return conversation, message


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


async def test_a_message_goes_out_and_its_reports_move_it_forward_in_any_order(world: InMemory) -> None:
    for seed in range(8):
        fresh = InMemory()
        ada = await with_line(fresh)
        sent = await ada.sends("hello")
        await fresh.settle()
        ref = await ref_of(ada, sent.id)
        reports = [Status.QUEUED, Status.SENDING, Status.SENT, Status.DELIVERED] * 5
        random.Random(seed).shuffle(reports)
        for status in reports:
            await fresh.use_cases.apply_delivery_receipt(DeliveryReceipt(ada.number, ref, None, status))
        assert (await fresh.use_cases.read_message(ada.id, sent.id)).status is Status.DELIVERED


async def test_the_same_key_sends_once_and_answers_the_same(world: InMemory) -> None:
    ada = await with_line(world)
    first = await ada.sends("hello", key="k")
    await world.settle()
    assert await ada.sends("hello", key="k") == first
    await world.settle()
    assert len(world.carrier.messages) == 1
    with pytest.raises(IdempotencyMismatch):
        await ada.sends("another", key="k")


async def test_a_key_means_nothing_in_another_account(world: InMemory) -> None:
    ada = await with_line(world, "ada", "+12025550143")
    boris = await with_line(world, "boris", "+12025550144")
    assert (await ada.sends("one", key="k")).id != (await boris.sends("two", key="k")).id


async def test_a_lost_answer_does_not_send_twice(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("hello")
    world.carrier.lose_answers = 1
    await world.settle()
    await world.advance(timedelta(minutes=1))
    assert len(world.carrier.messages) == 1
    assert (await ada.keeps(sent.id)).ref in world.carrier.messages


async def test_two_equal_messages_are_two_messages_even_when_answers_are_lost(world: InMemory) -> None:
    ada = await with_line(world)
    one, two = await ada.sends("same"), await ada.sends("same")
    world.carrier.lose_answers = 2
    for _ in range(3):
        await world.advance(timedelta(minutes=1))
    refs = {(await ada.keeps(sent.id)).ref for sent in (one, two)}
    assert refs == set(world.carrier.messages)
    assert len(refs) == 2


async def test_an_outage_delays_a_message(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.outage = True
    sent = await ada.sends("hello")
    await world.advance(timedelta(minutes=1))
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.QUEUED
    world.carrier.outage = False
    await world.advance(timedelta(hours=1))
    assert (await ada.keeps(sent.id)).ref is not None


async def test_a_redelivered_job_has_one_effect(world: InMemory) -> None:
    ada = await with_line(world)
    world.queue.lose_answers = 3
    await ada.sends("hello")
    await world.settle()
    await world.advance(timedelta(minutes=5))
    assert len(world.carrier.messages) <= 1
    assert world.carrier.calls.count("send") == 1


async def test_a_report_that_overtakes_the_answer_is_not_lost(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("hello")
    world.carrier.lose_answers = 1
    await world.settle()
    (text,) = world.carrier.messages.values()
    await world.use_cases.apply_delivery_receipt(
        DeliveryReceipt(ada.number, text.ref, sent.id, Status.DELIVERED)
    )
    message = await ada.keeps(sent.id)
    assert (message.ref, message.status) == (text.ref, Status.DELIVERED)


@pytest.mark.parametrize("known", [True, False], ids=["by its reference", "by our own id"])
async def test_a_report_that_no_sent_message_can_have_changes_nothing(
    world: InMemory, *, known: bool
) -> None:
    ada = await with_line(world)
    sent = await ada.sends("hello")
    world.carrier.lose_answers = 0 if known else 1
    await world.settle()
    before = await ada.keeps(sent.id)
    assert before.was_attempted
    assert (before.ref is not None) is known
    await world.use_cases.apply_delivery_receipt(
        DeliveryReceipt(ada.number, before.ref or CarrierRef("SM9"), sent.id, Status.RECEIVED)
    )
    assert await ada.keeps(sent.id) == before


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


async def test_unreachable_destinations_fail_the_message_for_good(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.unreachable.add(STRANGER)
    sent = await ada.sends("hello")
    await world.settle()
    failed = await world.use_cases.read_message(ada.id, sent.id)
    assert (failed.status, failed.failure) == (Status.FAILED, FailureReason.UNREACHABLE)


async def test_stop_is_respected_and_start_lifts_it(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("STOP")
    with pytest.raises(PeerOptedOut):
        await ada.sends("please")
    await ada.receives("start")
    await ada.sends("thanks")


async def test_an_opt_out_that_only_the_carrier_knew_of_is_remembered(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.opted_out.add((ada.number, STRANGER))
    sent = await ada.sends("hello")
    await world.settle()
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.FAILED
    with pytest.raises(PeerOptedOut):
        await ada.sends("again")


async def test_the_carriers_copy_goes_after_two_minutes_in_and_after_the_last_report_out(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    ref = await world.carrier.receive(STRANGER, ada.number, "incoming")
    await ada.receives("incoming", ref=ref)
    sent = await ada.sends("outgoing")
    await world.settle()
    out = await ref_of(ada, sent.id)
    await world.advance(timedelta(minutes=2))
    assert set(world.carrier.messages) == {out}
    await world.use_cases.apply_delivery_receipt(DeliveryReceipt(ada.number, out, None, Status.DELIVERED))
    await world.advance(timedelta(minutes=2))
    assert not world.carrier.messages
    assert sorted(await ada.inbox()) == ["incoming", "outgoing"]


async def test_a_message_that_nobody_reports_on_is_asked_for(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("outgoing")
    await world.settle()
    ref = await ref_of(ada, sent.id)
    world.carrier.messages[ref] = replace(world.carrier.messages[ref], status=Status.SENT)
    await world.advance(timedelta(minutes=2))
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.SENT
    world.carrier.messages[ref] = replace(
        world.carrier.messages[ref], status=Status.FAILED, failure=FailureReason.REJECTED
    )
    await world.advance(timedelta(minutes=4))
    failed = await world.use_cases.read_message(ada.id, sent.id)
    assert (failed.status, failed.failure) == (Status.FAILED, FailureReason.REJECTED)
    await world.advance(timedelta(minutes=2))
    assert not world.carrier.messages
    assert await world.queue.waiting() == 1, "only the next comparison of the line"


@pytest.mark.parametrize("fault", ["silence", "outage", "vanished"])
@pytest.mark.parametrize("status", [Status.QUEUED, Status.SENDING, Status.SENT])
async def test_no_message_stays_on_its_way_for_ever(world: InMemory, status: Status, fault: str) -> None:
    ada = await with_line(world)
    sent = await ada.sends("outgoing")
    await world.settle()
    ref = await ref_of(ada, sent.id)
    if status is not Status.QUEUED:
        await world.use_cases.apply_delivery_receipt(DeliveryReceipt(ada.number, ref, None, status))
    world.carrier.messages[ref] = replace(world.carrier.messages[ref], status=status)
    world.carrier.outage = fault == "outage"
    if fault == "vanished":
        world.carrier.messages.clear()
    for _ in range(25 * 12):
        await world.advance(timedelta(minutes=5))
    ended = await world.use_cases.read_message(ada.id, sent.id)
    assert (ended.status, ended.failure) == (Status.UNCONFIRMED, FailureReason.UNCONFIRMED)
    assert world.carrier.calls.count("look_up") < 20
    world.carrier.outage = False
    await world.advance(timedelta(hours=6))
    assert not world.carrier.messages, "a message that is not reported on loses its carrier copy all the same"
    await world.use_cases.apply_delivery_receipt(DeliveryReceipt(ada.number, ref, None, Status.DELIVERED))
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.DELIVERED


async def test_a_message_that_cannot_be_handed_over_is_given_up_when_it_is_too_old(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.outage = True
    sent = await ada.sends("outgoing")
    for _ in range(33):
        await world.advance(timedelta(hours=1))
    ended = await world.use_cases.read_message(ada.id, sent.id)
    assert (ended.status, ended.failure) == (Status.UNCONFIRMED, FailureReason.UNCONFIRMED)
    world.carrier.outage = False
    await world.advance(timedelta(days=1))
    assert "send" not in world.carrier.calls or not world.carrier.messages


async def test_a_message_that_was_not_sent_in_time_has_failed(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("outgoing")
    world.clock.advance(timedelta(hours=25))
    await world.settle()
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.FAILED
    assert not world.carrier.messages


async def test_a_carrier_that_is_not_ready_to_delete_is_asked_again(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("incoming", ref=await world.carrier.receive(STRANGER, ada.number, "incoming"))
    world.carrier.too_early = 3
    await world.advance(timedelta(minutes=2))
    assert world.carrier.messages
    for _ in range(4):
        await world.advance(timedelta(minutes=10))
    assert not world.carrier.messages


async def test_a_carrier_is_not_asked_to_delete_what_has_not_settled_with_it(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.message_abilities = replace(
        world.carrier.message_abilities, copy_settles_after=timedelta(hours=1)
    )
    sent = await ada.sends("regret")
    await world.settle()
    await world.use_cases.delete_message(ada.id, sent.id)
    await world.advance(timedelta(hours=1) - timedelta(microseconds=1))
    assert "delete_copy" not in world.carrier.calls
    await world.advance(timedelta(hours=1))
    assert not world.carrier.messages
    assert (await world.store.count_rows(ada.id))["messages"] == 0


async def test_where_the_carrier_deletes_nothing_its_copy_stays_on_record(world: InMemory) -> None:
    ada = await with_line(world)
    world.carrier.message_abilities = MessageAbilities(sends_idempotent_for=timedelta(hours=1))
    await ada.receives("kept there")
    await world.advance(timedelta(hours=1))
    _, message = await only_message(ada)
    assert (await ada.keeps(message.id)).has_carrier_copy
    await world.use_cases.delete_message(ada.id, message.id)
    await world.settle()
    assert (await world.store.count_rows(ada.id))["messages"] == 0
    assert await world.queue.waiting() == 0
    assert "delete_copy" not in world.carrier.calls


async def test_a_copy_counts_as_deleted_once_it_cannot_be_looked_up(world: InMemory) -> None:
    ref = await world.carrier.receive(STRANGER, PhoneNumber("+12025550143"), "still there?")
    world.carrier.lies = True
    with pytest.raises(NotYetGone):
        await delete_verified(world.carrier, [ref], held)
    world.carrier.lies, world.carrier.too_early = False, 1
    with pytest.raises(TooEarly):
        await delete_verified(world.carrier, [ref], held)
    await delete_verified(world.carrier, [ref], held)
    assert await world.carrier.look_up(ref) is None


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


async def test_a_deleted_message_is_gone_at_once_and_its_row_when_the_carrier_let_go(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("regret")
    await world.settle()
    world.carrier.too_early = 1
    await world.use_cases.delete_message(ada.id, sent.id)
    with pytest.raises(NotFound):
        await world.use_cases.read_message(ada.id, sent.id)
    await world.settle()
    assert (await world.store.count_rows(ada.id))["messages"] == 1
    await world.advance(timedelta(hours=1))
    assert (await world.store.count_rows(ada.id))["messages"] == 0
    assert not world.carrier.messages


async def test_a_deleted_conversation_is_gone_at_once_and_begins_anew(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("old")
    await ada.sends("reply")
    (conversation,) = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
    await world.use_cases.delete_conversation(ada.id, conversation.id)
    with pytest.raises(NotFound):
        await world.use_cases.read_conversation(ada.id, conversation.id)
    await ada.receives("new")
    assert await ada.inbox() == ["new"]
    for _ in range(3):
        await world.advance(timedelta(hours=1))
    rows = await world.store.count_rows(ada.id)
    assert (rows["conversations"], rows["messages"]) == (1, 1)


async def test_marking_read(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("hello")
    conversation, _ = await only_message(ada)
    await world.use_cases.mark_read(ada.id, conversation.id)
    assert (await world.use_cases.read_conversation(ada.id, conversation.id)).unread == 0


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


async def test_pages_have_neither_gaps_nor_repetitions(world: InMemory) -> None:
    ada = await with_line(world)
    for number in range(7):
        await ada.receives(f"text {number}")
        world.clock.advance(timedelta(seconds=1))
    (conversation,) = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
    seen, before = [], None
    while True:
        page = await world.use_cases.list_messages(ada.id, conversation.id, before, 3)
        seen += [message.body for message in page.items]
        if (before := page.next) is None:
            break
    assert seen == [MessageBody(f"text {number}") for number in reversed(range(7))]


async def test_messages_stay_in_order_when_the_clock_is_set_back_and_the_process_begins_anew(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    said: list[str] = []
    for process, back in enumerate((timedelta(), timedelta(hours=5), timedelta(days=2), -timedelta(days=3))):
        world.clock._now -= back
        world.ids = CountingIds(world.clock)
        world.ids._count = 90_000 - 10_000 * process  # within an instant it would order by that
        world.wire()
        for _ in range(2):
            said.append(f"message {len(said)}")
            await ada.receives(said[-1])
    assert await ada.inbox() == said[::-1]
