"""The other side's STOP holds, whatever becomes of the conversation in which it was said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from application.ports.message_carrier import OptedOut
from bootstrap.worlds import InMemory
from domain.kernel import ConversationId, MessageId
from domain.messages import PeerOptedOut, Sent, Status
from domain.values import MessageBody, Peer, PhoneNumber
from tests.support.actors import PASSWORD, Person, with_line

OTHER = Peer("+13105550199")


async def conversation_of(ada: Person) -> ConversationId:
    (conversation,) = (await ada.world.use_cases.list_conversations(ada.id, None, None, 9)).items
    return conversation.id


async def forget(ada: Person) -> None:
    """Delete the one conversation there is, and have it purged."""
    await ada.world.use_cases.delete_conversation(ada.id, await conversation_of(ada))
    await ada.world.advance(timedelta(hours=1))


async def opt_outs(ada: Person) -> int:
    return (await ada.world.store.count_rows(ada.id))["opt_outs"]


async def test_stop_outlives_the_conversation_until_start(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("STOP")
    said = (await world.use_cases.read_conversation(ada.id, await conversation_of(ada))).opted_out_at
    for _ in range(3):  # deleted again and again, what they said stays
        await forget(ada)
        with pytest.raises(PeerOptedOut):
            await ada.sends("please")
        assert await ada.inbox() == []
        assert await opt_outs(ada) == 1
        await ada.receives("still here")
        assert await opt_outs(ada) == 0, "the conversation knows it"
        conversation = await world.use_cases.read_conversation(ada.id, await conversation_of(ada))
        assert conversation.opted_out_at == said
        with pytest.raises(PeerOptedOut):
            await ada.sends("please")
    await forget(ada)
    await ada.receives("START")
    assert await opt_outs(ada) == 0
    await ada.sends("thanks")
    await world.settle()
    assert sorted(await ada.inbox()) == ["START", "thanks"]


async def test_stop_is_about_one_line_and_one_peer(world: InMemory) -> None:
    ada = await with_line(world)
    other = await with_line(world, "boris", "+12025550144")
    await ada.receives("STOP")
    await forget(ada)
    await ada.sends("hello", OTHER)
    await other.sends("hello")


async def test_a_conversation_without_stop_leaves_nothing(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("STOP")
    await ada.receives("START")
    await forget(ada)
    assert await opt_outs(ada) == 0
    await ada.sends("hello")


async def test_a_stop_between_queueing_and_sending_is_respected(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("hello")
    await ada.receives("STOP")
    await world.settle()
    assert (await world.use_cases.read_message(ada.id, sent.id)).status is Status.FAILED
    assert world.carrier.calls.count("send") == 0


async def test_a_stop_after_a_lost_answer_does_not_hide_what_was_sent(world: InMemory) -> None:
    ada = await with_line(world)
    sent = await ada.sends("hello")
    world.carrier.lose_answers = 1
    await world.settle()
    await ada.receives("STOP")
    await world.advance(timedelta(minutes=1))
    message = await ada.keeps(sent.id)
    assert message.ref in world.carrier.messages
    assert world.carrier.calls.count("send") == 1


async def test_a_refusal_that_comes_after_the_conversation_was_deleted_is_remembered(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.sends("hello")
    conversation = await conversation_of(ada)

    async def refuse(
        _: MessageId, _sender: PhoneNumber, _to: Peer, _body: MessageBody, _media: object
    ) -> Sent:
        await world.use_cases.delete_conversation(ada.id, conversation)
        raise OptedOut

    world.carrier.send = refuse  # type: ignore[method-assign, assignment]
    await world.settle()
    with pytest.raises(PeerOptedOut):
        await ada.sends("again")


async def test_what_is_left_of_a_stop_goes_with_the_line_and_with_the_account(world: InMemory) -> None:
    ada = await with_line(world)
    boris = await with_line(world, "boris", "+12025550144")
    for person in (ada, boris):
        await person.receives("STOP")
        await forget(person)
        assert await opt_outs(person) == 1
    await ada.gives_up()
    await world.settle()
    assert await opt_outs(ada) == 0
    await world.use_cases.delete_account(boris.id, PASSWORD)
    await world.use_cases.recover_account(boris.email, PASSWORD)
    with pytest.raises(PeerOptedOut):
        await boris.sends("please")
    await world.use_cases.delete_account(boris.id, PASSWORD)
    await world.advance(timedelta(days=30))
    assert sum((await world.store.count_rows(boris.id)).values()) == 0


async def test_on_a_line_that_is_given_up_nothing_is_kept(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.receives("STOP")
    await ada.gives_up()
    await world.settle()
    await forget(ada)
    assert await opt_outs(ada) == 0
