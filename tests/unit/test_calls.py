"""Calls: any order of reports ends the same, a mailbox is no talk, records go, and money comes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.worlds import InMemory
from domain.call_routing import CallStep, NextStep, next_step
from domain.calls import Call, CallDirection, CallOutcome
from domain.forwarding import ForwardWhen
from domain.kernel import AccountId, CallId, LineId
from domain.spend import SpendLimited
from domain.values import Peer, PhoneNumber
from tests.support.actors import with_line

AT = datetime(2027, 3, 1, tzinfo=UTC)
Report = Callable[[Call], None]


def a_call() -> Call:
    return Call.begin(
        AccountId(UUID(int=1)), CallId(UUID(int=2)), LineId(UUID(int=3)),
        direction=CallDirection.INBOUND, peer=None, ref=None, at=AT,
    )  # fmt: skip


def reached(outcome: CallOutcome, seconds: int) -> Report:
    return lambda call: call.reach(outcome, seconds)


def ended(seconds: int) -> Report:
    return lambda call: call.end(AT + timedelta(seconds=seconds))


REPORTS = st.lists(
    st.builds(reached, st.sampled_from(CallOutcome), st.integers(0, 99))
    | st.builds(ended, st.integers(0, 99)),
    max_size=8,
)


@given(REPORTS, st.randoms())
def test_any_order_and_repetition_of_reports_ends_the_same(reports: list[Report], chance: Random) -> None:
    one, other = a_call(), a_call()
    for report in reports:
        report(one)
    again = [*reports, *reports]
    chance.shuffle(again)
    for report in again:
        report(other)
    assert (one.outcome, one.duration, one.ended_at) == (other.outcome, other.duration, other.ended_at)


@given(
    st.sampled_from(CallStep), st.sampled_from(CallOutcome), st.booleans(), st.frozensets(st.sampled_from(ForwardWhen)),
    st.booleans(),
)  # fmt: skip
def test_whoever_has_not_talked_ends_at_the_mailbox_within_three_steps(
    step: CallStep, outcome: CallOutcome, talked: bool, forward: frozenset[ForwardWhen], quiet: bool
) -> None:
    next_ = next_step(step, outcome, talked=talked, forward=forward, quiet=quiet)
    assert (next_ is NextStep.HANG_UP) is talked
    if step is CallStep.FORWARDED and not talked:
        assert next_ is NextStep.TAKE_MESSAGE, "nobody is forwarded on and on"
    if quiet and step is CallStep.ARRIVED and not talked:
        assert next_ is NextStep.TAKE_MESSAGE
    if next_ is NextStep.FORWARD:
        assert forward


def test_a_mailbox_on_the_way_is_no_talk() -> None:
    call = a_call()
    call.reach(CallOutcome.NO_ANSWER, 9)
    call.end(AT)
    assert (call.talked_for, call.outcome) == (0, CallOutcome.NO_ANSWER)
    call.carrier_record_deleted(AT)
    assert call.duration == 0


async def test_calls_are_bounded_by_what_may_be_spent_and_what_was_not_comes_back() -> None:
    world = InMemory()
    ada = await with_line(world)
    to = PhoneNumber("+13105550178")
    placed = [(await world.use_cases.place_call(ada.id, ada.line_id, to, key)).call for key in "ab"]
    with pytest.raises(SpendLimited):  # an account of today may have two calls of 50 minutes under way
        await world.use_cases.place_call(ada.id, ada.line_id, to, "c")
    for call in placed:
        assert call.ref is not None
        world.voice.end(call.ref, CallOutcome.NO_ANSWER)
    await world.advance(timedelta(hours=6))
    assert not (await world.use_cases.place_call(ada.id, ada.line_id, to, "again")).repeated
    calls = (await world.use_cases.list_calls(ada.id, None, Peer(to), None, 9)).items
    assert [call.reserved for call in calls[1:]] == [0, 0]


async def test_with_the_account_go_the_carriers_records_of_its_calls_known_or_not() -> None:
    world = InMemory()
    ada = await with_line(world)
    await world.use_cases.place_call(ada.id, ada.line_id, PhoneNumber("+13105550178"), "key")
    unknown = world.voice.ring("+13105550178", ada.number)
    for ref in list(world.voice.records):
        world.voice.end(ref, CallOutcome.NO_ANSWER)
    world.voice.too_early = 1
    await ada.deletes_account()
    await world.advance(timedelta(days=31))
    for _ in range(4):
        await world.advance(timedelta(minutes=10))
    assert unknown not in world.voice.records
    assert world.voice.records == {}
    assert await world.ledger.pending() == []
