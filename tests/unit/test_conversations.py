"""Conversations: read, paged through, deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.outbound.memory.system import CountingIds
from bootstrap.worlds import InMemory
from domain.kernel import NotFound
from domain.values import MessageBody
from tests.support.actors import with_line
from tests.support.messaging import only_message


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
