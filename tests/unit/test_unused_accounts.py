"""Laws of accounts that nobody uses: warned twice in time, never gone early, and none of it without a period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.accounts import Unused, UnusedStep, cutoffs
from domain.accounts.unused import FIRST_WARNING, SECOND_WARNING
from domain.retention import Retention, unused_after

laws = settings(max_examples=60, deadline=None)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
periods = st.integers(365, 3650).map(lambda days: timedelta(days=days))
naps = st.lists(st.timedeltas(timedelta(microseconds=1), timedelta(days=500)), min_size=1, max_size=12)
INSTANT = timedelta(microseconds=1)


@laws
@given(since=instants, keep=periods, naps=naps)
def test_however_seldom_somebody_looks_two_warnings_come_in_time_before_the_deletion(
    since: datetime, keep: timedelta, naps: list[timedelta]
) -> None:
    rule, unused, now = unused_after(keep), Unused(since, None, None), since
    for nap in naps:
        now += nap
        step = unused.due_step(rule, now)
        if step is UnusedStep.WARN:
            assert now >= since + keep - FIRST_WARNING
            unused = Unused(since, now, None)
        elif step is UnusedStep.WARN_AGAIN:
            assert unused.warned_at is not None
            assert now >= since + keep - SECOND_WARNING
            assert now - unused.warned_at >= FIRST_WARNING - SECOND_WARNING
            unused = Unused(since, unused.warned_at, now)
        elif step is UnusedStep.DELETE:
            assert unused.warned_at is not None
            assert unused.warned_again_at is not None
            assert now >= since + keep, "gone early"
            assert now - unused.warned_at >= FIRST_WARNING
            assert now - unused.warned_again_at >= SECOND_WARNING
            return


@laws
@given(since=instants, keep=periods)
def test_each_step_is_due_at_its_very_instant(since: datetime, keep: timedelta) -> None:
    rule, end = unused_after(keep), since + keep
    first, second = end - FIRST_WARNING, end - SECOND_WARNING
    for unused, at, step in (
        (Unused(since, None, None), first, UnusedStep.WARN),
        (Unused(since, first, None), second, UnusedStep.WARN_AGAIN),
        (Unused(since, first, second), end, UnusedStep.DELETE),
    ):
        assert unused.due_step(rule, at - INSTANT) is None
        assert unused.due_step(rule, at) is step


@laws
@given(since=instants, keep=periods, longer=periods, now=instants)
def test_a_longer_period_makes_no_step_due_sooner(
    since: datetime, keep: timedelta, longer: timedelta, now: datetime
) -> None:
    for unused in (Unused(since, None, None), Unused(since, since, None), Unused(since, since, since)):
        if unused.due_step(unused_after(keep + longer), now):
            assert unused.due_step(unused_after(keep), now) is unused.next_step


def test_unless_it_is_set_there_is_no_period() -> None:
    assert Retention().unused_account is None
    assert cutoffs(UnusedStep.WARN, unused_after(timedelta(days=400)), datetime(2030, 1, 1, tzinfo=UTC)) == (
        datetime(2029, 1, 26, tzinfo=UTC), None,
    )  # fmt: skip
