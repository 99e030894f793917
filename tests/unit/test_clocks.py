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


async def test_the_sandbox_moves_its_own_time_without_setting_the_machines() -> None:
    clock = ShiftedClock()
    clock.offset = timedelta(days=90)
    assert await clock.agreed() - datetime.now(UTC) > timedelta(days=89)
