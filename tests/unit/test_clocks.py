"""A clock that jumps destroys nothing before its time."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.system.clock import ShiftedClock, SystemClock
from application.ports.clock import ClocksDisagree
from application.purge import Purge, PurgeResult
from application.retention import Sweep

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
JUMPS = [timedelta(days=90), timedelta(days=-90), timedelta(seconds=61), timedelta(seconds=-61)]


class Machine:
    """A machine whose time may be set, a monotonic clock, and a database on another machine."""

    def __init__(self) -> None:
        self.passed = timedelta()
        self.jump = timedelta()
        self.database_jump = timedelta()
        self.clock = SystemClock(system=self.system, monotonic=self.seconds)
        self.clock.database = self.database

    def system(self) -> datetime:
        return START + self.passed + self.jump

    def seconds(self) -> float:
        return self.passed.total_seconds()

    async def database(self) -> datetime:
        return START + self.passed + self.database_jump


class Purged(Purge):
    name: ClassVar[str] = "purged"

    def __init__(self) -> None:
        self.calls: list[datetime] = []

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        self.calls.append(now)
        return PurgeResult(1)


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_a_jump_of_the_system_clock_purges_nothing_until_it_is_mended(jump: timedelta) -> None:
    machine, purge = Machine(), Purged()
    sweep = Sweep((purge,), machine.clock)
    machine.jump = jump
    result = await sweep()
    assert not purge.calls
    assert result.failed == Counter(clocks_disagree=1)
    machine.jump, machine.passed = timedelta(), timedelta(seconds=6)
    assert (await sweep()).counts == Counter(purged=1)
    assert purge.calls == [START + timedelta(seconds=6)]


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_one_machine_whose_time_is_set_for_system_and_database_alike(jump: timedelta) -> None:
    machine = Machine()
    machine.jump = machine.database_jump = jump
    with pytest.raises(ClocksDisagree):
        await machine.clock.agreed()


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_a_process_started_at_a_wrong_time_is_told_so_by_the_database(jump: timedelta) -> None:
    machine = Machine()
    machine.jump = jump
    clock = SystemClock(system=machine.system, monotonic=machine.seconds)
    clock.database = machine.database
    with pytest.raises(ClocksDisagree):
        await clock.agreed()


@given(
    st.timedeltas(timedelta(days=-90), timedelta(days=90)), st.timedeltas(timedelta(0), timedelta(days=900))
)
async def test_an_agreed_time_is_never_more_than_a_minute_ahead(jump: timedelta, passed: timedelta) -> None:
    machine = Machine()
    machine.jump, machine.passed = jump, passed
    try:
        agreed = await machine.clock.agreed()
    except ClocksDisagree:
        assert abs(jump) > timedelta(seconds=59)
    else:
        assert abs(agreed - (START + passed)) <= timedelta(minutes=1, seconds=1)


def passing(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


async def asked(machine: Machine, every: timedelta, times: int) -> int:
    """Ask for the agreed time at regular intervals; return how often there was none before there was one."""
    for refused in range(times):
        machine.passed += every
        try:
            await machine.clock.agreed()
        except ClocksDisagree:
            continue
        return refused
    return times


@pytest.mark.parametrize("jump", JUMPS, ids=str)
async def test_the_time_of_a_running_process_is_not_moved_by_a_jump(jump: timedelta) -> None:
    machine = Machine()
    machine.passed, machine.jump = passing(7), jump
    assert machine.clock.now() == START + passing(7)


@pytest.mark.parametrize("step", [timedelta(minutes=2), timedelta(minutes=-2), timedelta(hours=3)], ids=str)
async def test_a_correction_that_stays_is_taken_over_and_work_goes_on(step: timedelta) -> None:
    machine, purge = Machine(), Purged()
    machine.jump = machine.database_jump = step
    refused = await asked(machine, passing(1), 1000)
    assert passing(refused) == max(passing(10), abs(step))
    assert machine.clock.now() == START + machine.passed + step
    assert (await Sweep((purge,), machine.clock)()).counts == Counter(purged=1)


@pytest.mark.parametrize("jump", [timedelta(days=90), timedelta(days=-90)], ids=str)
async def test_ninety_days_are_not_believed_for_a_week_and_work_goes_on_when_they_are_mended(
    jump: timedelta,
) -> None:
    machine = Machine()
    machine.jump = machine.database_jump = jump
    assert await asked(machine, passing(5), 7 * 288) == 7 * 288
    machine.jump = machine.database_jump = timedelta()
    assert await machine.clock.agreed() == START + machine.passed


async def test_a_step_that_only_the_machine_takes_is_never_believed() -> None:
    machine = Machine()
    machine.jump = timedelta(minutes=5)
    assert await asked(machine, passing(1), 1000) == 1000


async def test_a_step_is_not_lasting_because_it_was_seen_twice() -> None:
    machine = Machine()
    machine.jump = machine.database_jump = timedelta(minutes=2)
    assert await asked(machine, passing(11), 3) == 3


@given(
    st.lists(
        st.tuples(st.sampled_from([-90, 0, 90]), st.integers(1, 3000), st.booleans()), min_size=1, max_size=25
    )
)
async def test_whatever_is_set_nothing_is_destroyed_early_and_the_truth_is_believed(
    settings: list[tuple[int, int, bool]],
) -> None:
    machine = Machine()
    for days, minutes, both in settings:
        machine.jump = timedelta(days=days)
        machine.database_jump = machine.jump if both else timedelta()
        machine.passed += passing(minutes)
        assert machine.clock.now() == START + machine.passed
        try:
            agreed = await machine.clock.agreed()
        except ClocksDisagree:
            assert days
        else:
            assert agreed == START + machine.passed
            assert not days


async def test_the_sandbox_moves_its_own_time_without_setting_the_machines() -> None:
    clock = ShiftedClock()
    clock.offset = timedelta(days=90)
    assert await clock.agreed() - datetime.now(UTC) > timedelta(days=89)
