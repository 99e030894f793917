"""What webhooks did not bring is taken in within a minute, once, and at next to no cost while nothing is missing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from typing_extensions import override

from application.catching_up import EVERY, FURTHEST, LEFT_TO_WEBHOOKS, TURN, CaughtUp
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.keyring import KeyGone
from application.ports.message_carrier import ListedCopy, ReceivedCopy
from application.ports.store import StoreUnavailable
from bootstrap.worlds import InMemory
from domain.kernel import CarrierRef, SealBroken
from pico_testkit.chaos import Chaos, ChaosMessages
from tests.support.actors import PASSWORD, STRANGER, Person, with_line

MINUTE = timedelta(minutes=1)


async def missed(ada: Person, *bodies: str) -> list[CarrierRef]:
    """Send messages whose webhooks are lost, a second apart."""
    carrier = ada.world.carrier
    carrier.silent, refs = True, []
    for body in bodies:
        ada.world.clock.advance(timedelta(seconds=1))
        refs.append(await carrier.receive(STRANGER, ada.number, body))
    carrier.silent = False
    return refs


async def caught_up(world: InMemory, after: timedelta = EVERY) -> CaughtUp:
    world.clock.advance(after)
    done = await world.use_cases.catch_up()
    await world.settle()
    return done


async def told(ada: Person) -> int:
    return (await ada.world.store.count_rows(ada.id))["live_events"]


class Paged(ChaosMessages):
    """A carrier that lists one message a page."""

    @override
    async def list_received(self, since: datetime) -> AsyncIterator[list[ReceivedCopy]]:
        async for page in super().list_received(since):
            for copy in page:
                yield [copy]


async def test_a_message_without_a_webhook_is_taken_in_within_a_minute_and_once(world: InMemory) -> None:
    ada = await with_line(world)
    [ref, _] = await missed(ada, "nobody told you", "STOP")
    assert await caught_up(world) == CaughtUp(2)
    assert sorted(await ada.inbox()) == ["STOP", "nobody told you"]
    [conversation] = (await world.use_cases.list_conversations(ada.id, None, None, 10)).items
    assert conversation.opted_out_at is not None
    await ada.receives("nobody told you", ref=ref)
    assert await caught_up(world) == CaughtUp()
    assert len(await ada.inbox()) == 2


async def test_they_stand_in_the_order_in_which_they_came(world: InMemory) -> None:
    ada = await with_line(world)
    said = [f"{number}" for number in range(100)]
    await missed(ada, *said)
    world.carrier.messages = dict(
        reversed(world.carrier.messages.items())
    )  # the newest first, as carriers list
    assert await caught_up(world) == CaughtUp(100)
    assert (await ada.inbox())[::-1] == said


async def test_a_message_that_just_came_is_left_to_its_webhook(world: InMemory) -> None:
    ada = await with_line(world)
    await caught_up(world)
    world.clock.advance(EVERY - timedelta(seconds=2))
    await missed(ada, "hello")
    assert await caught_up(world, LEFT_TO_WEBHOOKS - timedelta(seconds=1)) == CaughtUp()
    assert await caught_up(world) == CaughtUp(1)


async def test_where_older_ones_had_no_webhook_the_youngest_are_not_left_to_theirs(world: InMemory) -> None:
    ada, bea = await with_line(world), await (await world.signed_up("bea")).with_line()
    await caught_up(world)
    await missed(ada, "long ago")
    world.clock.advance(LEFT_TO_WEBHOOKS)
    await missed(ada, "just now", "this moment")
    await missed(bea, "the same moment")
    assert await caught_up(world, LEFT_TO_WEBHOOKS - timedelta(seconds=4)) == CaughtUp(4)
    assert await ada.inbox() == ["this moment", "just now", "long ago"]
    assert await bea.inbox() == ["the same moment"]


async def test_who_found_some_missing_looks_again_as_soon_as_no_webhook_is_waited_for(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    await missed(ada, "during the outage")
    assert await caught_up(world) == CaughtUp(1)
    await missed(ada, "meanwhile")
    assert await caught_up(world, LEFT_TO_WEBHOOKS) == CaughtUp(1)
    await missed(ada, "later")
    assert await caught_up(world, LEFT_TO_WEBHOOKS) == CaughtUp(1)
    world.clock.advance(LEFT_TO_WEBHOOKS)
    assert await world.use_cases.catch_up() == CaughtUp()
    await missed(ada, "at peace")
    assert await caught_up(world, EVERY - timedelta(seconds=2)) == CaughtUp()
    assert await caught_up(world, timedelta(seconds=1)) == CaughtUp(1)


async def test_one_whose_webhook_comes_at_that_very_moment_is_there_once_and_told_of_once(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    await caught_up(world)
    before = await told(ada)
    [_, *young] = await missed(ada, "long ago", *"abc")
    world.clock.advance(EVERY)
    webhooks = [ada.receives(body, ref=ref) for body, ref in zip("abc", young, strict=True)]
    await asyncio.gather(world.use_cases.catch_up(), *webhooks)
    assert sorted(await ada.inbox()) == ["a", "b", "c", "long ago"]
    assert await told(ada) == before + 4


async def test_while_nothing_is_missing_the_carrier_is_asked_once_and_the_store_once_about_each_line(
    world: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [await with_line(world), await (await world.signed_up("bea")).with_line()]
    for number in range(5):
        for person in people:
            await world.carrier.receive(STRANGER, person.number, f"{number}")
    asked = Counter[str]()
    begin = world.store.begin

    def counted(*given: object) -> object:
        asked["begin"] += 1
        return begin(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(type(world.store), "begin", lambda _self, *given: counted(*given))
    world.carrier.calls.clear()
    for _ in range(2):
        world.clock.advance(EVERY)
        assert await world.use_cases.catch_up() == CaughtUp()
        assert asked["begin"] == len(people)
    assert world.carrier.calls == ["list_received"] * 2


async def test_of_several_processes_one_catches_up_at_a_time(world: InMemory) -> None:
    ada = await with_line(world)
    await missed(ada, "hello")
    world.clock.advance(EVERY)
    world.carrier.calls.clear()
    done = await asyncio.gather(*(world.use_cases.catch_up() for _ in range(8)))
    assert sum(done, CaughtUp()) == CaughtUp(1)
    assert world.carrier.calls.count("list_received") == 1
    await world.use_cases.catch_up()
    assert world.carrier.calls.count("list_received") == 1, "it is not time yet"


@pytest.mark.parametrize("away", [timedelta(minutes=10), timedelta(hours=20), FURTHEST - timedelta(hours=1)])
async def test_an_outage_of_ours_loses_nothing_however_long_it_was(world: InMemory, away: timedelta) -> None:
    ada = await with_line(world)
    await caught_up(world)
    await missed(ada, "when it began")
    world.clock.advance(away)
    await missed(ada, "when it ended")
    assert await caught_up(world) == CaughtUp(2)
    assert await ada.inbox() == ["when it ended", "when it began"]


async def test_who_was_away_for_longer_looks_back_so_far_and_the_rest_is_found_line_by_line(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    await caught_up(world)
    await missed(ada, "long ago")
    world.clock.advance(FURTHEST + timedelta(hours=1))
    assert await caught_up(world) == CaughtUp()
    for _ in range(12):
        await world.advance(timedelta(hours=1))
    assert await ada.inbox() == ["long ago"]


async def test_a_message_of_the_second_in_which_the_lease_began_is_the_lines_own(world: InMemory) -> None:
    world.clock.advance(timedelta(microseconds=700_000))
    ada = await with_line(world)
    [ref] = await missed(ada, "hello")
    copy = world.carrier.messages[ref]
    world.carrier.messages[ref] = replace(copy, at=copy.at.replace(microsecond=0) - timedelta(seconds=1))
    assert await caught_up(world) == CaughtUp(1)


async def test_what_is_for_nobody_or_for_a_former_owner_is_left_alone(world: InMemory) -> None:
    ada = await with_line(world)
    await missed(ada, "for whoever had the number")
    [(ref, copy)] = world.carrier.messages.items()
    world.carrier.messages[ref] = replace(copy, at=copy.at - timedelta(minutes=5))
    world.carrier.silent = True
    await world.carrier.deliver(STRANGER, "+12025559999", "for somebody else")
    world.carrier.silent = False
    assert await caught_up(world) == CaughtUp()
    assert await ada.inbox() == []


async def test_what_comes_while_the_account_may_be_gone_is_not_taken_in(world: InMemory) -> None:
    ada = await with_line(world)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await missed(ada, "hello?")
    assert await caught_up(world) == CaughtUp()
    await world.use_cases.recover_account(ada.email, PASSWORD)
    assert await ada.inbox() == []


async def test_what_was_deleted_here_does_not_come_back(world: InMemory) -> None:
    ada = await with_line(world)
    await missed(ada, "forget this")
    copies = dict(world.carrier.messages)
    await caught_up(world)
    for conversation in (await world.use_cases.list_conversations(ada.id, None, None, 10)).items:
        await world.use_cases.delete_conversation(ada.id, conversation.id)
    await world.settle()
    world.carrier.messages |= copies
    world.wire()  # another process, which knows nothing yet
    assert await caught_up(world) == CaughtUp()
    assert await ada.inbox() == []


async def test_a_carrier_that_does_not_answer_is_asked_again_from_where_the_last_one_came_to(
    world: InMemory,
) -> None:
    ada = await with_line(world)
    await caught_up(world)
    await missed(ada, "hello")
    world.carrier.outage = True
    for _ in range(3):
        world.clock.advance(timedelta(hours=1))
        with pytest.raises(CarrierUnavailable):
            await world.use_cases.catch_up()
    world.carrier.outage = False
    assert await caught_up(world) == CaughtUp(1)


async def test_a_store_that_does_not_answer_ends_it_and_the_next_one_goes_on(
    world: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await with_line(world)
    await missed(ada, *"abcdef")
    receive, answers = world.use_cases.receive_message, iter([True] * 2 + [False])

    async def some(message: object) -> None:
        if not next(answers, True):
            raise StoreUnavailable
        await receive(message)  # type: ignore[arg-type]

    monkeypatch.setattr(world.use_cases.catch_up, "receive_message", some)
    world.clock.advance(EVERY)
    with pytest.raises(StoreUnavailable):
        await world.use_cases.catch_up()
    assert await ada.inbox() == ["b", "a"]
    assert await caught_up(world) == CaughtUp(4)
    assert (await ada.inbox())[::-1] == [*"abcdef"]


async def test_who_missed_more_than_is_taken_in_at_one_time_goes_on_soon(
    world: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.catching_up.MOST", 3)
    ada = await with_line(world)
    await missed(ada, *"abcdefgh")
    world.use_cases.catch_up.carrier = Paged(world.carrier, Chaos(rate=0))
    assert await caught_up(world) == CaughtUp(3)
    for left in (3, 2):
        assert await caught_up(world, LEFT_TO_WEBHOOKS) == CaughtUp(left)
    assert sorted(await ada.inbox()) == [*"abcdefgh"]


async def test_an_account_whose_key_is_lost_holds_up_no_other(world: InMemory) -> None:
    ada, bea = await with_line(world), await (await world.signed_up("bea")).with_line()
    await missed(ada, *"ab")
    await missed(bea, "c")
    await world.keyring.destroy(ada.id)
    assert await caught_up(world) == CaughtUp(1, Counter({KeyGone.code: 2}))
    assert await bea.inbox() == ["c"]


async def test_whoever_dies_at_it_keeps_the_others_from_it_for_half_a_minute_at_most(world: InMemory) -> None:
    ada = await with_line(world)
    await missed(ada, "hello")
    world.clock.advance(EVERY)
    turn = await world.catch_ups.take(world.carrier.name, world.clock.now(), world.clock.now() + TURN)
    assert turn is not None
    assert timedelta(seconds=30) >= TURN
    assert await caught_up(world, TURN - timedelta(seconds=1)) == CaughtUp()
    assert await caught_up(world, timedelta(seconds=1)) == CaughtUp(1)


async def test_a_message_that_cannot_be_taken_in_holds_up_no_other_and_is_tried_again(
    world: InMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await with_line(world)
    [broken, *_] = await missed(ada, *"abc")
    receive, mended = world.use_cases.receive_message, False

    async def some(message: object) -> None:
        if getattr(message, "ref", None) == broken and not mended:
            raise SealBroken
        await receive(message)  # type: ignore[arg-type]

    monkeypatch.setattr(world.use_cases.catch_up, "receive_message", some)
    assert await caught_up(world) == CaughtUp(2, Counter({SealBroken.code: 1}))
    mended = True
    assert await caught_up(world) == CaughtUp(1)
    assert sorted(await ada.inbox()) == [*"abc"]


async def test_a_carrier_that_lists_nothing_is_left_alone(world: InMemory) -> None:
    ada = await with_line(world)
    await missed(ada, "hello")
    world.carrier.message_abilities = replace(world.carrier.message_abilities, can_list_received=False)
    world.carrier.calls.clear()
    assert await caught_up(world) == CaughtUp()
    assert world.carrier.calls == []


async def test_where_the_list_tells_not_what_a_message_says_that_is_asked_for_what_is_missing_only() -> None:
    class Reserved(ChaosMessages):
        asked = 0

        @override
        async def list_received(self, since: datetime) -> AsyncIterator[list[ReceivedCopy]]:
            async for page in super().list_received(since):
                yield [replace(copy, copy=None) for copy in page]

        @override
        async def read_received(self, ref: CarrierRef) -> ListedCopy | None:
            self.asked += 1
            return await super().read_received(ref)

    world = InMemory()
    ada = await with_line(world)
    await world.carrier.receive(STRANGER, ada.number, "told")
    await missed(ada, "not told")
    reserved = Reserved(world.carrier, Chaos(rate=0))
    world.use_cases.catch_up.carrier = reserved
    assert await caught_up(world) == CaughtUp(1)
    assert reserved.asked == 1
    assert await ada.inbox() == ["not told", "told"]


async def test_ten_minutes_without_webhooks_lose_nothing_at_a_carrier_at_its_worst() -> None:
    world, chaos = InMemory(), Chaos()
    ada = await with_line(world)
    world.use_cases.catch_up.carrier = ChaosMessages(world.carrier, chaos)
    said = [f"{number}" for number in range(100)]
    for body in said:
        world.clock.advance(timedelta(seconds=6))
        await missed(ada, body)
    for _ in range(12):
        world.clock.advance(EVERY)
        try:
            await world.use_cases.catch_up()
        except CarrierUnavailable:
            continue
    chaos.calm = True
    await caught_up(world)
    assert sorted(await ada.inbox(), key=int) == said
