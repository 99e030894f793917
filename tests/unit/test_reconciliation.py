"""What the carrier holds and what we hold, compared: nothing is missed for good, and nothing stays there unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bootstrap.worlds import InMemory
from domain.kernel import CarrierRef
from domain.lines import LineState
from domain.messages import Status
from tests.support.actors import PASSWORD, STRANGER, Person, with_line

DAY = timedelta(days=1)


async def pass_time(world: InMemory, by: timedelta = DAY) -> None:
    """Let time pass as it does, hour by hour."""
    for _ in range(by // timedelta(hours=1)):
        await world.advance(timedelta(hours=1))


async def missed(ada: Person, body: str, attachments: int = 0) -> CarrierRef:
    """Send a message whose webhooks are lost."""
    carrier = ada.world.carrier
    carrier.silent = True
    ref = await carrier.receive(STRANGER, ada.number, body)
    carrier.silent = False
    carrier.messages[ref] = replace(carrier.messages[ref], attachments=attachments)
    return ref


async def test_a_message_that_was_missed_is_taken_in_within_a_day_and_once(world: InMemory) -> None:
    ada = await with_line(world)
    ref = await missed(ada, "nobody told you")
    await missed(ada, "STOP")
    await pass_time(world)
    assert sorted(await ada.inbox()) == ["STOP", "nobody told you"]
    assert not world.carrier.messages, "safe with us, so the copy went"
    [conversation] = (await world.use_cases.list_conversations(ada.id, None, None, 10)).items
    assert conversation.opted_out_at is not None
    await ada.receives("nobody told you", ref=ref)
    await pass_time(world)
    assert len(await ada.inbox()) == 2


async def test_a_message_with_pictures_is_taken_in_and_its_copy_stays(world: InMemory) -> None:
    ada = await with_line(world)
    ref = await missed(ada, "", attachments=2)
    await pass_time(world, 3 * DAY)
    [conversation] = (await world.use_cases.list_conversations(ada.id, None, None, 10)).items
    [message] = (await world.use_cases.list_messages(ada.id, conversation.id, None, 10)).items
    assert message.attachments == 2
    assert set(world.carrier.messages) == {ref}


async def test_what_was_deleted_here_does_not_come_back_and_goes_there(world: InMemory) -> None:
    ada = await with_line(world)
    ref = await world.carrier.receive(STRANGER, ada.number, "forget this")
    copy = world.carrier.messages[ref]
    await ada.sends("and this")
    await world.settle()
    await world.carrier.report(next(reversed(world.carrier.messages)), Status.DELIVERED)
    sent_copy = world.carrier.messages[next(reversed(world.carrier.messages))]
    await pass_time(world)
    assert not world.carrier.messages
    for conversation in (await world.use_cases.list_conversations(ada.id, None, None, 10)).items:
        await world.use_cases.delete_conversation(ada.id, conversation.id)
    await world.settle()
    world.carrier.messages |= {ref: copy, sent_copy.ref: sent_copy}  # as if the carrier had restored a backup
    await pass_time(world)
    assert await ada.inbox() == []
    assert not world.carrier.messages


async def test_a_copy_that_came_back_after_it_was_deleted_goes_again(world: InMemory) -> None:
    ada = await with_line(world)
    ref = await world.carrier.receive(STRANGER, ada.number, "keep this")
    copy = world.carrier.messages[ref]
    await pass_time(world)
    world.carrier.messages[ref] = copy
    await pass_time(world)
    assert not world.carrier.messages
    assert await ada.inbox() == ["keep this"]


async def test_messages_from_before_the_lease_are_neither_taken_in_nor_deleted(world: InMemory) -> None:
    ada = await with_line(world, number="+12025550144")
    await missed(ada, "for whoever had the number")
    theirs = dict(world.carrier.messages)
    world.carrier.messages.clear()
    await ada.gives_up()
    await pass_time(world, timedelta(hours=2))
    grace = await with_line(world, "grace", "+12025550144")
    world.carrier.messages |= theirs
    await pass_time(world, 2 * DAY)
    assert await grace.inbox() == []
    assert world.carrier.messages == theirs


async def test_nothing_is_taken_in_or_deleted_while_the_account_may_be_gone(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    ref = await missed(ada, "come back")
    await pass_time(world, 2 * DAY)
    assert set(world.carrier.messages) == {ref}
    await world.use_cases.recover_account(ada.email, PASSWORD)
    await pass_time(world)
    assert await ada.inbox() == ["come back"]
    assert not world.carrier.messages


@pytest.mark.parametrize("fault", ["outage", "lies", "too early"])
async def test_what_goes_wrong_meanwhile_is_made_good(world: InMemory, fault: str) -> None:
    ada = await with_line(world)
    await missed(ada, "hello")
    world.carrier.outage, world.carrier.lies = fault == "outage", fault == "lies"
    world.carrier.too_early = 5 if fault == "too early" else 0
    await pass_time(world)
    world.carrier.outage = world.carrier.lies = False
    await pass_time(world)
    assert await ada.inbox() == ["hello"]
    assert not world.carrier.messages


async def test_a_number_that_is_gone_is_noticed_though_nothing_is_sent(world: InMemory) -> None:
    ada = await with_line(world)
    assert ada.line is not None
    assert ada.line.ref is not None
    del world.carrier.numbers[ada.line.ref], world.carrier.owners[ada.number]
    await pass_time(world)
    assert (await world.use_cases.read_line(ada.id, ada.line_id)).state is LineState.LOST
    await pass_time(world)
    assert await world.queue.waiting() == 0, "nobody compares any more"


async def test_what_lies_at_the_carrier_for_a_lost_number_goes_and_its_next_owners_stays(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    assert ada.line is not None
    assert ada.line.ref is not None
    await missed(ada, "too late")
    del world.carrier.numbers[ada.line.ref], world.carrier.owners[ada.number]
    world.carrier.too_early = 3  # so that the next owner is there before all is cleaned up
    await ada.sends("hello?")
    await world.settle()
    world.clock.advance(timedelta(seconds=1))
    grace = await with_line(world, "grace", ada.number)
    theirs = await missed(grace, "for the next owner", attachments=1)
    await pass_time(world)
    assert set(world.carrier.messages) == {theirs}
    assert await grace.inbox() == ["for the next owner"]
    assert await ada.inbox() == ["hello?"]
