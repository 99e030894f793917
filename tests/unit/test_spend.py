"""What may be spent on messages: refused before a carrier hears of it, whatever is raced or broken."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.ports.limits import LimitsUnavailable
from bootstrap.worlds import InMemory
from domain.failures import FailureReason
from domain.kernel import PicoError
from domain.limits import Limit
from domain.messages import Status
from domain.segments import segments_of
from domain.spend import DestinationNotAllowed, SpendLimited, SpendPolicy, born, neighbourhood
from domain.values import Country, MessageBody, Peer
from tests.support.actors import PASSWORD, STRANGER, Person, with_line

DAY, WEEK = timedelta(days=1), timedelta(days=7)
POLICY = SpendPolicy()
US = Country("US")


async def outcome(person: Person, to: Peer = STRANGER, body: str = "hello") -> str:
    try:
        await person.sends(body, to)
    except PicoError as error:
        return error.code
    return "accepted"


def sent(world: InMemory) -> int:
    return len(world.carrier.messages)


async def test_a_capped_account_raced_fifty_ways_spends_no_more_than_it_may(world: InMemory) -> None:
    ada = await with_line(world)
    numbers = [Peer(f"+1310555{number:04}") for number in range(50)]
    answers = Counter[str]()
    for _ in range(10):
        answers += Counter(await asyncio.gather(*(outcome(ada, to) for to in numbers)))
    await world.settle()
    most = POLICY.of_a_young_account.at_once // POLICY.cost(MessageBody("hello"), US)
    assert answers == {"accepted": most, SpendLimited.code: 500 - most}
    assert sent(world) == most


async def test_nothing_is_sent_while_nobody_can_say_what_was_spent(world: InMemory) -> None:
    ada = await with_line(world)
    await ada.sends("queued before")
    world.limits.outage = True
    assert {await outcome(ada) for _ in range(20)} == {LimitsUnavailable.code}
    await world.settle()
    await world.advance(timedelta(minutes=5))
    assert sent(world) == 0
    assert await ada.inbox() == ["queued before"]
    await ada.receives("what comes in costs nothing")
    await world.use_cases.sign_in(ada.email, PASSWORD)
    world.limits.outage = False
    await world.advance(timedelta(minutes=30))
    assert sent(world) == 1


async def test_a_repetition_costs_nothing_and_a_lost_race_is_paid_once(world: InMemory) -> None:
    ada = await with_line(world)
    for _ in range(500):
        await ada.sends("hello", key="the same")
    before = dict(world.limits.full_at)
    world.store.lose_next = True
    await ada.sends("hello")
    cost = POLICY.of_a_young_account.every * POLICY.cost(MessageBody("hello"), US)
    key = POLICY.of_a_young_account.name, str(ada.id)
    assert world.limits.full_at[key] - before[key] == cost


async def test_a_message_takes_one_place_at_the_carrier_however_many_races_are_lost(world: InMemory) -> None:
    ada = await with_line(world)
    message = await ada.sends("hello")
    lease = world.queue.take("send_message")
    world.store.lose_next = True
    await world.use_cases.job_handlers["send_message"](ada.id, message.id, lease)
    near = POLICY.of_a_neighbourhood
    taken = world.limits.full_at[near.name, neighbourhood(STRANGER)] - world.clock.now()
    assert (sent(world), taken) == (1, near.every), "a lost race took another place"


async def test_an_account_may_spend_more_after_its_first_week(world: InMemory) -> None:
    ada = await with_line(world)
    assert born(ada.id) == world.clock.now()
    young = POLICY.limit_of(ada.id, world.clock.now() + WEEK - timedelta(milliseconds=1))
    assert (young, POLICY.limit_of(ada.id, world.clock.now() + WEEK)) == (
        POLICY.of_a_young_account, POLICY.of_an_account,
    )  # fmt: skip
    assert young.most < POLICY.of_an_account.most


@pytest.mark.parametrize(
    "to", ["+19005550123", "+447012345678", "+4490912345678", "+5355501234", "+8821612345678", "+97970012345"]
)
async def test_dear_numbers_and_countries_not_listed_are_refused_before_anything_is_kept(
    world: InMemory, to: str
) -> None:
    ada = await with_line(world)
    if to.startswith("+4470"):
        world.spend_policy = replace(POLICY, countries=POLICY.countries - {Country("GB"), Country("JE")})
        world.wire()
    assert await outcome(ada, Peer(to)) in {DestinationNotAllowed.code, "unreachable_number"}
    assert await ada.inbox() == []
    assert POLICY.of_a_young_account.name not in {name for name, _ in world.limits.full_at}


async def test_a_message_that_waits_is_looked_at_again_before_it_is_sent(world: InMemory) -> None:
    ada = await with_line(world)
    waiting = await ada.sends("hello")
    world.spend_policy = replace(POLICY, countries=frozenset({Country("IL")}))
    world.wire()
    await world.settle()
    message = await world.use_cases.read_message(ada.id, waiting.id)
    assert (message.status, message.failure) == (Status.FAILED, FailureReason.NOT_ALLOWED)
    assert sent(world) == 0


async def test_numbers_that_lie_close_together_get_so_many_an_hour_whoever_sends(world: InMemory) -> None:
    few = Limit(name="neighbourhood", most=4, within=timedelta(hours=1), at_once=3)
    world.spend_policy = replace(POLICY, of_a_neighbourhood=few)
    world.wire()
    people = [await with_line(world, "ada"), await with_line(world, "ben", "+12025550144")]
    for person in people:
        for number in range(3):
            await person.sends("hello", Peer(f"+131055501{number:02}"))
    await people[0].sends("hello", Peer("+13107770100"))
    await world.settle()
    assert sent(world) == 4
    await world.advance(timedelta(hours=1))
    assert sent(world) == 5
    for _ in range(4):
        await world.advance(timedelta(hours=1))
    assert sent(world) == 7, "the others were late, and none is lost"


async def test_everybody_together_gets_so_many_an_hour(world: InMemory) -> None:
    few = Limit(name="everybody", most=150, within=timedelta(hours=1), at_once=50)
    everybody = replace(
        POLICY, of_everybody=few, of_a_neighbourhood=replace(few, name="n", most=9999, at_once=999)
    )
    world.spend_policy = everybody
    world.wire()
    ada = await with_line(world)
    for _ in range(70):
        await ada.sends("hello")
    await world.settle()
    assert sent(world) == 50
    await world.advance(timedelta(hours=1))
    assert sent(world) == 70


def test_what_lies_close_together_is_all_but_four_digits() -> None:
    assert neighbourhood(Peer("+13105550178")) == "+1310555"
    assert neighbourhood(Peer("12345")) == "12345"


@given(st.text(min_size=1, max_size=400))
def test_a_message_costs_as_much_as_it_has_segments(body: str) -> None:
    count = segments_of(MessageBody(body)).count
    assert POLICY.cost(MessageBody(body), US) == count * POLICY.cost(MessageBody("a"), US)
