"""Quiet hours: by the clock on the wall of a zone, across midnight and across the days on which it is changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.line_settings import LineSettings
from bootstrap.worlds import InMemory
from domain.kernel import PicoError
from domain.quiet_hours import (
    InvalidTimeOfDay,
    NoQuietHours,
    QuietHours,
    UnknownTimeZone,
)
from domain.values import Label, PhoneNumber
from tests.support.actors import with_line

NIGHT = QuietHours.of("22:00", "07:00", "Europe/Berlin")
ALWAYS = QuietHours.of("00:00", "24:00", "UTC")
TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))


def utc(day: int, hour: int, minute: int = 0, month: int = 1) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "quiet"),
    [
        (utc(10, 20, 59), False), (utc(10, 21), True), (utc(10, 23, 30), True), (utc(11, 5, 59), True),
        (utc(11, 6), False),
        (utc(10, 20, 0, 7), True),  # 22:00 in summer, when Berlin is two hours ahead
        (utc(11, 4, 59, 7), True), (utc(11, 5, 0, 7), False),
        (utc(29, 0, 59, 3), True), (utc(29, 1, 0, 3), True), (utc(29, 5, 0, 3), False),  # its clocks go forward
        (utc(25, 0, 30, 10), True), (utc(25, 5, 59, 10), True), (utc(25, 6, 0, 10), False),  # and back
    ],
)  # fmt: skip
def test_a_night_ends_by_the_clock_on_the_wall(instant: datetime, quiet: bool) -> None:
    assert NIGHT.cover(instant) is quiet


@given(TIMES, TIMES, st.integers(0, 2880))
def test_each_minute_is_in_the_hours_or_in_those_that_are_left(starts: str, ends: str, minutes: int) -> None:
    instant = utc(1, 0) + timedelta(minutes=minutes)
    assert ALWAYS.cover(instant)
    if starts != ends:
        one, other = (
            QuietHours.of(*pair, "Asia/Jerusalem").cover(instant) for pair in ((starts, ends), (ends, starts))
        )
        assert one is not other


@pytest.mark.parametrize(
    ("starts", "ends", "zone", "refusal"),
    [
        ("24:00", "07:00", "UTC", InvalidTimeOfDay),
        ("22:00", "7:00", "UTC", InvalidTimeOfDay),
        ("22:00", "07:60", "UTC", InvalidTimeOfDay),
        ("22:00\n", "07:00", "UTC", InvalidTimeOfDay),
        ("٢٢:00", "07:00", "UTC", InvalidTimeOfDay),
        ("22:00", "22:00", "UTC", NoQuietHours),
        ("22:00", "07:00", "", UnknownTimeZone),
        ("22:00", "07:00", "Europe", UnknownTimeZone),
        ("22:00", "07:00", "Europe/Haifa", UnknownTimeZone),
        ("22:00", "07:00", "../../etc/passwd", UnknownTimeZone),
        ("22:00", "07:00", "/etc/localtime", UnknownTimeZone),
        ("22:00", "07:00", "UTC\0", UnknownTimeZone),
    ],
)
def test_what_names_no_hours_is_refused(starts: str, ends: str, zone: str, refusal: type[PicoError]) -> None:
    with pytest.raises(refusal):
        QuietHours.of(starts, ends, zone)


def test_hours_in_a_zone_that_is_unknown_by_now_cover_nothing() -> None:
    assert not QuietHours("00:00-24:00 Europe/Haifa").cover(utc(1, 12))


async def test_a_line_is_quiet_in_its_hours_until_they_are_taken_away(world: InMemory) -> None:
    ada, do = await with_line(world, "ada", PhoneNumber("+12025550143")), world.use_cases
    line = await do.change_line(ada.id, ada.line_id, LineSettings(do_not_disturb=NIGHT))
    assert (line.is_quiet(utc(10, 23)), line.is_quiet(utc(10, 12))) == (True, False)
    line = await do.change_line(ada.id, ada.line_id, LineSettings(Label("work")))
    assert (line.label, line.do_not_disturb) == ("work", NIGHT), "what was not said was changed"
    await do.change_line(ada.id, ada.line_id, LineSettings(do_not_disturb=None))
    line = await do.read_line(ada.id, ada.line_id)
    assert (line.label, line.is_quiet(utc(10, 23))) == ("work", False)


async def test_messages_are_kept_in_quiet_hours(world: InMemory) -> None:
    ada = await with_line(world, "ada", PhoneNumber("+12025550143"))
    await world.use_cases.change_line(ada.id, ada.line_id, LineSettings(do_not_disturb=ALWAYS))
    await ada.receives("hello")
    assert await ada.inbox() == ["hello"]
