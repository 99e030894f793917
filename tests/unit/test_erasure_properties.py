"""Laws of the hard-delete saga: done steps are a prefix, none is skipped, and there is one end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.erasure import ORDER, PATIENCE, Erasure, Step
from domain.kernel import AccountId

laws = settings(max_examples=40, deadline=None)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEGUN = Erasure(account_id=AccountId(UUID(int=1)), began_at=NOW)


def done(erasure: Erasure) -> tuple[Step, ...]:
    return ORDER[: ORDER.index(erasure.done) + 1] if erasure.done else ()


@laws
@given(tries=st.lists(st.sampled_from(ORDER), max_size=60))
def test_whatever_is_tried_the_steps_done_are_a_prefix(tries: list[Step]) -> None:
    erasure, finished = BEGUN, []
    for step in tries:
        if step is erasure.next:
            erasure = erasure.finish(step)
            finished.append(step)
        else:
            with pytest.raises(ValueError):
                erasure.finish(step)
        assert tuple(finished) == done(erasure) == ORDER[: len(finished)]
        assert erasure.next == next(iter(ORDER[len(finished) :]), None)


@laws
@given(crashes=st.sets(st.integers(0, len(ORDER))), data=st.data())
def test_a_crash_after_any_step_resumes_at_the_checkpoint_and_ends_the_same(
    crashes: set[int], data: st.DataObject
) -> None:
    checkpoint, taken, ticks = BEGUN, [], 0
    while (step := checkpoint.next) is not None:
        taken.append(step)
        ticks += 1
        if ticks not in crashes:  # else: done, but the checkpoint was lost
            checkpoint = checkpoint.finish(step)
    assert checkpoint.done is ORDER[-1]
    assert sorted(set(taken), key=ORDER.index) == list(ORDER)
    assert taken == sorted(taken, key=ORDER.index), "a step is repeated, never gone back to"


def test_the_order_that_makes_erasure_irreversible_only_when_it_can_be_finished() -> None:
    assert ORDER[0] is Step.INTENT, "the ledger knows before anything is lost"
    assert ORDER[-1] is Step.VERIFIED, "and nothing is called done before it was counted"
    for outside in (Step.CARRIER_CONTENT, Step.NUMBERS, Step.MAIL):
        assert ORDER.index(outside) < ORDER.index(Step.KEYS), (
            "what needs opened rows comes before the keys go"
        )
    assert ORDER.index(Step.KEYS) < ORDER.index(Step.ROWS)


def test_finishing_leaves_the_earlier_value_as_it_was() -> None:
    later = BEGUN.finish(Step.INTENT)
    assert (BEGUN.done, later.done, later.began_at) == (None, Step.INTENT, NOW)
    with pytest.raises(AttributeError):
        later.done = Step.ROWS  # type: ignore[misc]


@laws
@given(waited=st.timedeltas(timedelta(), timedelta(days=3)))
def test_carrier_content_holds_up_the_rest_for_a_day_and_no_longer(waited: timedelta) -> None:
    assert BEGUN.may_leave_behind(NOW + waited) == (waited >= PATIENCE)
    assert BEGUN.may_leave_behind(NOW + PATIENCE)
    assert not BEGUN.may_leave_behind(NOW + PATIENCE - timedelta(microseconds=1))
