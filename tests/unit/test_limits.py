"""Laws of limits: never more than `most` in any time `within`, nobody waits longer than told, and told exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.limits import Limit, Limited

START = datetime(2027, 3, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@st.composite
def limits(draw: st.DrawFn) -> Limit:
    at_once = draw(st.integers(1, 6))
    most = at_once + draw(st.integers(1, 9))
    within = draw(st.timedeltas(timedelta(seconds=1), timedelta(days=2)))
    return Limit(name="any", most=most, within=within, at_once=at_once)


gaps = st.lists(st.floats(0, 1.5), max_size=60)
"""Pauses between two attempts, in parts of what brings one back."""


@given(limits(), gaps)
def test_no_time_that_long_sees_more_than_the_most(limit: Limit, pauses: list[float]) -> None:
    now, full_at, taken = START, None, list[datetime]()
    for pause in pauses:
        now += limit.every * pause
        taking = limit.take(full_at, now)
        if taking.wait is None:
            full_at = taking.full_at
            taken.append(now)
    for first in taken:
        assert sum(first <= at <= first + limit.within for at in taken) <= limit.most
        assert sum(at == first for at in taken) <= limit.at_once


@given(limits(), gaps, st.integers(1, 6))
def test_whoever_waits_as_long_as_told_gets_it_and_nobody_sooner(
    limit: Limit, pauses: list[float], cost: int
) -> None:
    cost = min(cost, limit.at_once)
    now, full_at = START, None
    for pause in pauses:
        now += limit.every * pause
        taking = limit.take(full_at, now, cost)
        if taking.wait is None:
            full_at = taking.full_at
            assert taking.left >= 0
        else:
            assert timedelta() < taking.wait <= limit.every * cost
            assert limit.take(full_at, now + taking.wait - INSTANT, cost).wait == INSTANT
            assert limit.take(full_at, now + taking.wait, cost).wait is None
            assert taking.left < cost


@given(limits(), st.timedeltas(timedelta(0), timedelta(days=900)), st.integers(1, 6))
def test_a_clock_set_back_makes_nobody_wait_longer_than_ever(
    limit: Limit, back: timedelta, cost: int
) -> None:
    cost, full_at = min(cost, limit.at_once), START + limit.room
    refused = limit.take(full_at, START - back, cost)
    assert refused.wait == limit.every * cost
    assert limit.take(refused.full_at, START - back + refused.wait, cost).wait is None


@given(limits(), st.integers(1, 6))
def test_giving_back_undoes_taking(limit: Limit, cost: int) -> None:
    cost = min(cost, limit.at_once)
    before = limit.take(None, START).full_at
    after = limit.take(before, START, cost)
    if after.wait is None:
        assert limit.give_back(after.full_at, cost) == before


@given(limits())
def test_as_many_as_left_can_be_taken(limit: Limit) -> None:
    taking = limit.take(None, START)
    for left in reversed(range(limit.at_once)):
        assert taking.left == left
        taking = limit.take(taking.full_at, START)
    assert taking.wait is not None


@pytest.mark.parametrize(("most", "at_once"), [(5, 5), (5, 6), (5, 0), (0, 0)])
def test_a_limit_lets_something_through_and_something_back(most: int, at_once: int) -> None:
    with pytest.raises(ValueError, match="odd"):
        Limit(name="odd", most=most, within=timedelta(hours=1), at_once=at_once)


def test_an_error_says_how_long_to_wait_and_no_value() -> None:
    limit = Limit(name="guesses", most=10, within=timedelta(hours=1), at_once=6)
    error = Limited(limit, timedelta(minutes=3))
    assert error.retry_after == timedelta(minutes=3)
    assert str(error) == "This was asked for too often; `retry_after` says when to come back."
