"""Following an account: what is told, from where on, and when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

import pytest

from application import live_hub
from application.contacts import Correction
from application.live import BEAT, Begun
from application.live_hub import MOST_OF_ACCOUNT, NoRoomForStreams, TooManyStreams
from application.sessions import Caller, SignedIn
from domain.contacts import Card, ContactName, ContactNumbers, SavedNumber
from domain.kernel import AccountId, CarrierRef, MessageId, NotFound, SessionId
from domain.live import NOWHERE, LiveEvent, LiveEventId
from domain.live_kinds import LiveKind
from domain.messages import Status
from domain.values import Label, PhoneNumber
from pico_testkit import PASSWORD, STRANGER, InMemory
from tests.support.actors import Person, sign_up, with_line

Told = AsyncGenerator[Begun | Sequence[LiveEvent], None]
NOW, LONG = timedelta(), timedelta(minutes=10)


def caller(of: SignedIn) -> Caller:
    return Caller(of.session.account_id, of.session.id)


def follow(
    ada: Person, lasting: timedelta = LONG, beat: timedelta = BEAT, seen: LiveEventId | None = None
) -> Told:
    return ada.world.use_cases.follow_events(caller(ada.signed_in), seen, lasting, beat)


async def by_now(ada: Person, seen: LiveEventId | None) -> tuple[Begun, list[LiveEvent]]:
    """Return where a stream begins, and everything that is told of what has happened by now."""
    begun, *told = [each async for each in follow(ada, NOW, seen=seen)]
    assert isinstance(begun, Begun)
    return begun, [event for each in told if not isinstance(each, Begun) for event in each]


async def head(ada: Person) -> LiveEventId:
    return (await by_now(ada, None))[0].place


@asynccontextmanager
async def following(ada: Person, lasting: timedelta = LONG, beat: timedelta = BEAT) -> AsyncIterator[Told]:
    async with aclosing(follow(ada, lasting, beat)) as told:
        assert isinstance(await soon(told), Begun)
        yield told


async def soon(told: Told) -> Begun | Sequence[LiveEvent]:
    async with asyncio.timeout(5):
        return await anext(told)


async def ends(told: Told) -> None:
    """Wait for the end of a stream that tells of nothing any more."""
    async with asyncio.timeout(5):
        assert [each async for each in told if each != ()] == []


def kinds(events: Sequence[LiveEvent] | Begun) -> list[LiveKind]:
    assert not isinstance(events, Begun)
    return [event.kind for event in events]


async def test_each_delivery_of_a_message_is_told_together_as_one() -> None:
    world = InMemory()
    ada = await with_line(world)
    before = await head(ada)
    for _ in range(20):
        await ada.receives("hello", ref="SM1")
    await world.settle()
    _, events = await by_now(ada, before)
    assert kinds(events) == [LiveKind.MESSAGE_RECEIVED]
    assert (await ada.keeps(MessageId(events[0].subject))).body == "hello"


async def test_a_message_that_goes_out_is_told_with_each_status_once() -> None:
    world = InMemory()
    ada = await with_line(world)
    before = await head(ada)
    message = await ada.sends("hello")
    await world.settle()
    (ref,) = world.carrier.messages
    for _ in range(3):
        await world.carrier.report(CarrierRef(ref), Status.DELIVERED)
    _, events = await by_now(ada, before)
    assert kinds(events)[0] is LiveKind.MESSAGE_QUEUED
    assert set(kinds(events)[1:]) == {LiveKind.MESSAGE_STATUS}
    assert {event.subject for event in events} == {message.id}


async def test_who_was_away_is_told_all_that_they_missed_in_its_order() -> None:
    world = InMemory()
    ada = await with_line(world)
    before = await head(ada)
    await ada.receives("one")
    (conversation,) = (await world.use_cases.list_conversations(ada.id, None, None, 9)).items
    await world.use_cases.mark_read(ada.id, conversation.id)
    await world.use_cases.mark_read(ada.id, conversation.id)
    await ada.receives("two")
    (message,) = (await world.use_cases.list_messages(ada.id, conversation.id, None, 1)).items
    await world.use_cases.delete_message(ada.id, message.id)
    await world.use_cases.delete_conversation(ada.id, conversation.id)
    await world.settle()
    begun, events = await by_now(ada, before)
    assert not begun.lost
    assert kinds(events) == [
        LiveKind.MESSAGE_RECEIVED, LiveKind.CONVERSATION_CHANGED, LiveKind.MESSAGE_RECEIVED,
        LiveKind.MESSAGE_DELETED, LiveKind.CONVERSATION_DELETED,
    ]  # fmt: skip
    for at, event in enumerate(events):
        assert (await by_now(ada, event.id))[1] == events[at + 1 :]


async def test_what_a_blocked_number_sends_is_told_to_nobody() -> None:
    world = InMemory()
    ada = await with_line(world)
    await world.use_cases.block_number(ada.id, PhoneNumber(STRANGER))
    before = await head(ada)
    await ada.receives("hello")
    await world.advance(timedelta(minutes=10))
    assert (await by_now(ada, before))[1] == []


async def test_it_is_told_as_it_happens_and_nothing_while_nothing_does() -> None:
    ada = await with_line(InMemory())
    async with following(ada, beat=timedelta(milliseconds=10)) as told:
        assert await soon(told) == ()
        await ada.receives("hello")
        while not (events := await soon(told)):
            pass
        assert kinds(events) == [LiveKind.MESSAGE_RECEIVED]


async def test_what_another_process_commits_is_found() -> None:
    """Nothing of it is heard here."""
    world = InMemory()
    ada = await with_line(world)
    async with following(ada) as told:
        world.store.listeners.clear()
        await ada.receives("hello")
        assert kinds(await soon(told)) == [LiveKind.MESSAGE_RECEIVED]


async def test_an_outage_of_the_store_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_hub, "PAUSE", 0.01)
    world = InMemory()
    ada = await with_line(world)
    async with following(ada) as told:
        await ada.receives("one")
        world.store.outage = True
        await asyncio.sleep(0.05)
        world.store.outage = False
        assert kinds(await soon(told)) == [LiveKind.MESSAGE_RECEIVED]
        await ada.receives("two")
        assert kinds(await soon(told)) == [LiveKind.MESSAGE_RECEIVED]


async def test_others_hear_nothing() -> None:
    world = InMemory()
    ada, ben = await with_line(world), await sign_up(world, "ben")
    before = await head(ben)
    await ada.receives("hello")
    assert (await by_now(ben, before))[1] == []
    event = (await by_now(ada, None))[0].place
    assert (await by_now(ben, event))[0].lost, "an event of somebody else's was never theirs"


@pytest.mark.parametrize("days", [0, 1, 30])
async def test_who_was_away_for_too_long_is_told_that_something_is_missing(days: int) -> None:
    """A day after it happened an event is gone: whoever has not seen it must look for themselves."""
    world = InMemory()
    ada = await with_line(world)
    before = await head(ada)
    await ada.receives("missed")
    last = (await by_now(ada, before))[1][-1].id
    await world.advance(timedelta(days=days))
    begun, events = await by_now(ada, before)
    assert begun.lost is (days > 0)
    assert (begun.place, len(events)) == ((last, 0) if days else (before, 1))
    assert (await by_now(ada, last)) == (Begun(last, world.clock.now()), []), "who saw it all missed nothing"
    await ada.receives("next")
    assert kinds((await by_now(ada, last))[1]) == [LiveKind.MESSAGE_RECEIVED]


async def test_a_hole_is_told_of_wherever_it_is() -> None:
    """Not what was seen last is gone, but something behind it: a clock was set back between the two."""
    world = InMemory()
    ada = await with_line(world)
    await ada.receives("seen")
    seen = await head(ada)
    await ada.receives("lost")
    await ada.receives("kept")
    rows = world.store.rows(ada.id)[LiveEvent]
    _, events = await by_now(ada, seen)
    del rows[events[0].id]
    first, second = [each async for each in follow(ada, NOW, seen=seen)]
    assert isinstance(first, Begun)
    assert not first.lost
    assert second == Begun(events[-1].id, world.clock.now(), lost=True)


async def test_what_was_never_an_event_resumes_nothing() -> None:
    ada = await with_line(InMemory())
    assert (await by_now(ada, NOWHERE))[0].lost


async def test_the_stream_of_a_session_ends_when_it_is_revoked_and_others_go_on() -> None:
    world = InMemory()
    ada = await with_line(world)
    phone = await world.use_cases.sign_in(ada.email, PASSWORD, None, Label("phone"))
    async with following(ada) as mine:
        theirs = world.use_cases.follow_events(caller(phone), None, LONG)
        await soon(theirs)
        await world.use_cases.sign_out(ada.id, phone.session.id)
        with pytest.raises(StopAsyncIteration):
            await soon(theirs)
        assert kinds(await soon(mine)) == [LiveKind.SESSION_REVOKED]
        with pytest.raises(NotFound):
            await anext(world.use_cases.follow_events(caller(phone), None, LONG))
    with pytest.raises(NotFound):
        await anext(world.use_cases.follow_events(Caller(ada.id, SessionId(world.ids.new())), None, LONG))
    with pytest.raises(NotFound):
        await anext(
            world.use_cases.follow_events(Caller(AccountId(world.ids.new()), phone.session.id), None, LONG)
        )


async def test_a_stream_ends_with_its_session_and_with_its_time() -> None:
    world = InMemory()
    ada = await with_line(world)
    async with following(ada, beat=timedelta(milliseconds=5)) as told:
        assert await soon(told) == ()
        world.clock.advance(timedelta(days=40))
        await ends(told)
    ben = await sign_up(world, "ben")
    async with following(ben, lasting=timedelta(milliseconds=20)) as told:
        await ends(told)


async def test_a_device_that_comes_back_again_and_again_ends_its_own_oldest_stream() -> None:
    world = InMemory()
    ada = await with_line(world)
    phone = await world.use_cases.sign_in(ada.email, PASSWORD)
    streams = [follow(ada) for _ in range(MOST_OF_ACCOUNT)]
    for stream in streams:
        await soon(stream)
    with pytest.raises(TooManyStreams):
        await anext(world.use_cases.follow_events(caller(phone), None, LONG))
    again = follow(ada)
    await soon(again)
    with pytest.raises(StopAsyncIteration):
        await soon(streams[0])
    await ada.receives("hello")
    for stream in (*streams[1:], again):
        assert kinds(await soon(stream)) == [LiveKind.MESSAGE_RECEIVED]
        await stream.aclose()
    assert world.use_cases.follow_events.hub.open == 0


async def test_a_process_that_ends_ends_all_streams_and_takes_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = InMemory()
    ada = await with_line(world)
    async with following(ada) as told:
        world.use_cases.follow_events.close()
        with pytest.raises(StopAsyncIteration):
            await soon(told)
    with pytest.raises(NoRoomForStreams):
        await anext(follow(ada))
    other = InMemory()
    ben = await sign_up(other, "ben")
    monkeypatch.setattr(live_hub, "MOST", 1)
    async with following(ben):
        with pytest.raises(NoRoomForStreams):
            await anext(follow(ben))


async def test_a_slow_stream_finds_in_the_store_what_is_not_held_for_it() -> None:
    world = InMemory()
    ada = await with_line(world)
    many = live_hub.RECENT + live_hub.PAGE + 5
    async with following(ada) as told:
        for number in range(many):
            await ada.receives("hello", ref=f"SM{number}")
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        seen = 0
        while seen < many:
            seen += len(kinds(await soon(told)))
    assert seen == many


async def test_nobody_reads_once_nobody_follows() -> None:
    world = InMemory()
    ada = await with_line(world)
    async with following(ada):
        assert world.store.listeners
    await asyncio.sleep(0.01)
    assert not world.store.listeners
    async with following(ada) as told:
        await ada.receives("hello", ref=CarrierRef("SM9"))
        assert kinds(await soon(told)) == [LiveKind.MESSAGE_RECEIVED]


async def test_apps_are_told_what_happens_to_contacts_and_blocked_numbers() -> None:
    ada = await sign_up(InMemory())
    uses, before = ada.world.use_cases, await head(ada)
    numbers = ContactNumbers.of([SavedNumber(STRANGER)])
    contact = (await uses.add_contact(ada.id, Card(ContactName("Noa"), numbers), "one")).contact
    await uses.add_contact(ada.id, Card(ContactName("Noa"), numbers), "two")  # says nothing new
    await uses.add_contact(ada.id, Card(ContactName("Noa Cohen"), numbers), "three")
    await uses.change_contact(ada.id, contact.id, Correction(name=ContactName("Noa Levi")))
    await uses.delete_contact(ada.id, contact.id)
    blocked = await uses.block_number(ada.id, PhoneNumber(STRANGER))
    await uses.block_number(ada.id, PhoneNumber(STRANGER))
    await uses.unblock_number(ada.id, PhoneNumber(STRANGER))
    _, events = await by_now(ada, before)
    assert [(event.kind, event.subject) for event in events] == [
        *[(LiveKind.CONTACT_CHANGED, contact.id)] * 3,
        (LiveKind.CONTACT_DELETED, contact.id),
        (LiveKind.BLOCKED_NUMBER_ADDED, blocked.id),
        (LiveKind.BLOCKED_NUMBER_DELETED, blocked.id),
    ]
