"""Laws of the hard-delete saga: done steps are a prefix, none is skipped, and there is one end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.completion_mail import SendCompletionMail
from application.erasure import DeleteRows, DestroyKeys, RecordIntent, VerifyNothingLeft
from application.erasure_steps import ERASURE_STEPS, check_order
from domain.erasure import PATIENCE, Erasure
from domain.kernel import AccountId

laws = settings(max_examples=40, deadline=None)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEGUN = Erasure(account_id=AccountId(UUID(int=1)), began_at=NOW)
ORDER = tuple(step.name for step in ERASURE_STEPS)
COUNTS = st.dictionaries(st.sampled_from(["messages_deleted", "rows_deleted"]), st.integers(0, 9))


@laws
@given(steps=st.lists(COUNTS, min_size=len(ORDER), max_size=len(ORDER)))
def test_each_finished_step_leaves_one_less_and_the_counts_of_all(steps: list[dict[str, int]]) -> None:
    erasure, counted = BEGUN, dict[str, int]()
    for place, counts in enumerate(steps):
        assert erasure.remaining(ORDER) == ORDER[place:]
        erasure = erasure.finish(ORDER[place], counts)
        counted |= counts
        assert dict(erasure.counts) == counted
    assert erasure.remaining(ORDER) == ()


@laws
@given(attempts=st.lists(COUNTS))
def test_of_several_attempts_the_one_that_found_most_is_on_record(attempts: list[dict[str, int]]) -> None:
    erasure = BEGUN
    for found in attempts:
        erasure = erasure.about_to_delete(found)
    named = {name for found in attempts for name in found}
    assert dict(erasure.counts) == {name: max(found.get(name, 0) for found in attempts) for name in named}


@laws
@given(crashes=st.sets(st.integers(0, len(ORDER))))
def test_a_crash_after_any_step_resumes_at_the_checkpoint_and_ends_the_same(crashes: set[int]) -> None:
    checkpoint, taken, ticks = BEGUN, list[str](), 0
    while steps := checkpoint.remaining(ORDER):
        taken.append(steps[0])
        ticks += 1
        if ticks not in crashes:  # else: done, but the checkpoint was lost
            checkpoint = checkpoint.finish(steps[0], {})
    assert checkpoint.done == ORDER[-1]
    assert sorted(set(taken), key=ORDER.index) == list(ORDER)
    assert taken == sorted(taken, key=ORDER.index), "a step is repeated, never gone back to"


def test_an_unknown_last_step_is_an_error_and_not_the_beginning() -> None:
    with pytest.raises(ValueError):
        BEGUN.finish("no_such_step", {}).remaining(ORDER)


def test_the_order_that_makes_erasure_irreversible_only_when_it_can_be_finished() -> None:
    assert len(set(ORDER)) == len(ORDER)
    assert ERASURE_STEPS[0] is RecordIntent, "the ledger knows before anything is lost"
    assert ERASURE_STEPS[-2:] == (VerifyNothingLeft, SendCompletionMail), (
        "nothing is called done before it was counted"
    )
    keys = ERASURE_STEPS.index(DestroyKeys)
    assert keys < ERASURE_STEPS.index(DeleteRows)
    assert all(step.needs_keys for step in ERASURE_STEPS[1:keys]), "what needs no keys may stand after them"


def test_a_step_that_reads_sealed_values_cannot_stand_after_the_keys() -> None:
    class Late(RecordIntent):
        needs_keys: ClassVar[bool] = True

    with pytest.raises(ValueError):
        check_order((DestroyKeys, Late, DeleteRows))
    check_order((Late, DestroyKeys, DeleteRows))


def test_finishing_leaves_the_earlier_value_as_it_was() -> None:
    later = BEGUN.finish("intent", {"rows_deleted": 1})
    assert (BEGUN.done, dict(BEGUN.counts)) == (None, {})
    assert (later.done, later.began_at) == ("intent", NOW)
    with pytest.raises(AttributeError):
        later.done = "rows"  # type: ignore[misc]  # frozen: that is what is tested


@laws
@given(waited=st.timedeltas(timedelta(), timedelta(days=3)))
def test_carrier_content_holds_up_the_rest_for_a_day_and_no_longer(waited: timedelta) -> None:
    assert BEGUN.may_leave_behind(NOW + waited) == (waited >= PATIENCE)
    assert BEGUN.may_leave_behind(NOW + PATIENCE)
    assert not BEGUN.may_leave_behind(NOW + PATIENCE - timedelta(microseconds=1))
