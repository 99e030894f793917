"""By when a request is to be answered, by the calendar, and what the desk's commands print."""

from __future__ import annotations

import json
from calendar import monthrange
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from adapters.inbound.cli import command_line
from adapters.inbound.cli.data_requests import DataRequestCommands
from adapters.inbound.cli.options import Options
from bootstrap.commands import COMMANDS
from bootstrap.worlds import InMemory
from domain.data_requests import (
    DataRequest,
    DataRequestId,
    DataRequestKind,
    DataRequestOpen,
    DataRequestOutcome,
    NotReceivedYet,
    due_on,
)
from domain.kernel import AccountId, NotFound
from tests.support.actors import PASSWORD, sign_up

DAYS = st.dates(min_value=date(1970, 1, 1), max_value=date(2400, 1, 1))
INSTANTS = st.datetimes(
    min_value=datetime(1970, 1, 2), max_value=datetime(2400, 1, 1),
    timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours))),
)  # fmt: skip
NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)


@given(DAYS)
def test_an_answer_is_due_within_thirty_days_and_within_a_calendar_month(day: date) -> None:
    due = due_on(day)
    next_month = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    assert due <= day + timedelta(days=30)
    assert day < due
    assert (due.year, due.month) in {(day.year, day.month), (next_month.year, next_month.month)}
    if (due.year, due.month) != (day.year, day.month):
        assert due.day <= day.day
    last = monthrange(next_month.year, next_month.month)[1]
    assert due in {day + timedelta(days=30), next_month.replace(day=min(day.day, last))}


@given(DAYS)
def test_whoever_writes_later_is_never_due_sooner(day: date) -> None:
    assert due_on(day) <= due_on(day + timedelta(days=1)) <= due_on(day) + timedelta(days=3)


@pytest.mark.parametrize(
    ("came", "due"),
    [
        ("2026-01-31", "2026-02-28"), ("2028-01-31", "2028-02-29"), ("2026-01-28", "2026-02-27"),
        ("2026-01-29", "2026-02-28"), ("2026-02-28", "2026-03-28"), ("2026-04-30", "2026-05-30"),
        ("2026-03-01", "2026-03-31"), ("2026-12-15", "2027-01-14"), ("2026-02-01", "2026-03-01"),
    ],
)  # fmt: skip
def test_due_days(came: str, due: str) -> None:
    assert due_on(date.fromisoformat(came)) == date.fromisoformat(due)


@given(INSTANTS, st.integers(0, 60 * 24 * 60))
def test_it_is_urgent_from_the_twentieth_day_on_and_late_after_the_last(came: datetime, minutes: int) -> None:
    one = DataRequest(id=DataRequestId(uuid4()), kind=DataRequestKind.ACCESS, received_at=came)
    now = came.astimezone(UTC) + timedelta(minutes=minutes)
    days = (now.date() - came.astimezone(UTC).date()).days
    assert one.is_urgent(now) == (days >= 20)
    assert one.is_late(now) == (now.date() > one.due_on)
    assert one.is_urgent(now) or not one.is_late(now), "late before anybody was told"
    closed = one.closed(DataRequestOutcome.REFUSED, now)
    assert not closed.is_urgent(now)
    assert not closed.is_late(now)


# ------------------------------------------------------------------------------------------ the use cases


async def test_a_request_is_noted_closed_and_told_of_in_the_accounts_log() -> None:
    world = InMemory()
    ada = await sign_up(world)
    use_cases = world.use_cases
    one = await use_cases.open_data_request(DataRequestKind.ACCESS, ada.id, None)
    with pytest.raises(DataRequestOpen):
        await use_cases.open_data_request(DataRequestKind.ACCESS, ada.id, None)
    other = await use_cases.open_data_request(DataRequestKind.OBJECTION, ada.id, None)
    with pytest.raises(NotFound):
        await use_cases.close_data_request(one.id, AccountId(uuid4()), DataRequestOutcome.FULFILLED)
    closed = await use_cases.close_data_request(one.id, ada.id, DataRequestOutcome.FULFILLED)
    assert closed.outcome is DataRequestOutcome.FULFILLED
    told = [
        (entry.kind.value, entry.subject)
        for entry in (await use_cases.list_audit_log(ada.id, None, 50)).items
        if entry.kind.value.startswith("data_request")
    ]
    assert sorted(told) == sorted([
        ("data_request_noted", one.id), ("data_request_noted", other.id), ("data_request_answered", one.id),
    ])  # fmt: skip
    assert [each.id for each in await use_cases.list_data_requests()] == [other.id, one.id]


async def test_a_request_about_no_account_is_noted_and_one_about_an_unknown_one_is_not() -> None:
    world = InMemory()
    use_cases = world.use_cases
    first, second = [await use_cases.open_data_request(DataRequestKind.ACCESS, None, None) for _ in range(2)]
    with pytest.raises(NotFound):
        await use_cases.open_data_request(DataRequestKind.ACCESS, AccountId(uuid4()), None)
    with pytest.raises(NotReceivedYet):
        await use_cases.open_data_request(
            DataRequestKind.ACCESS, None, world.clock.now() + timedelta(minutes=1)
        )
    await use_cases.close_data_request(first.id, None, DataRequestOutcome.UNIDENTIFIED)
    assert [each.is_open for each in await use_cases.list_data_requests()] == [True, False]
    assert (await use_cases.list_data_requests())[0].id == second.id


async def test_an_account_that_was_erased_meanwhile_holds_up_no_answer() -> None:
    world = InMemory()
    ada = await sign_up(world)
    one = await world.use_cases.open_data_request(DataRequestKind.ERASURE, ada.id, None)
    await world.use_cases.delete_account(ada.id, PASSWORD)
    await world.advance(timedelta(days=31))
    closed = await world.use_cases.close_data_request(one.id, ada.id, DataRequestOutcome.FULFILLED)
    assert not closed.is_open


# ------------------------------------------------------------------------------------------- the commands


def answering(*found: DataRequest, words: tuple[str, ...], now: datetime = NOW) -> Result:
    def opened(
        kind: DataRequestKind, _account: UUID | None, at: datetime | None, _options: Options
    ) -> DataRequest:
        return replace(found[0], kind=kind, received_at=at or now)

    def closed(_id: UUID, _account: UUID | None, how: DataRequestOutcome, _options: Options) -> DataRequest:
        return found[0].closed(how, now)

    desk = DataRequestCommands(open=opened, all=lambda _options: (found, now), close=closed)
    run = partial(CliRunner().invoke, command_line(replace(COMMANDS, data_requests=desk)))
    return run(["dsr", *words])


ONE = DataRequest(id=DataRequestId(uuid4()), kind=DataRequestKind.ACCESS, received_at=NOW)


def test_what_is_noted_is_told_with_its_due_day() -> None:
    assert "due 2026-02-28" in answering(ONE, words=("open", "access")).output
    told = answering(ONE, words=("open", "erasure", "--received", "2026-01-20", "--json"))
    assert json.loads(told.output) == {
        "id": str(ONE.id), "kind": "erasure", "received_at": "2026-01-20T00:00:00+00:00", "due_on": "2026-02-19",
        "closed_at": None, "outcome": None,
    }  # fmt: skip
    assert answering(ONE, words=("open", "everything")).exit_code == 2


def test_the_list_marks_what_is_urgent_and_says_so_by_its_exit_code() -> None:
    calm = answering(ONE, words=("list",))
    assert (calm.exit_code, "1 to answer." in calm.output) == (0, True)
    urgent = answering(ONE, words=("list",), now=NOW + timedelta(days=20))
    assert (urgent.exit_code, "urgent" in urgent.output) == (1, True)
    late = answering(ONE, words=("list", "--json"), now=NOW + timedelta(days=29))
    assert late.exit_code == 1
    (told,) = json.loads(late.output)
    assert (told["urgent"], told["late"]) == (True, True)


def test_what_is_closed_is_shown_when_asked_for() -> None:
    closed = ONE.closed(DataRequestOutcome.REFUSED, NOW)
    assert str(ONE.id) not in answering(closed, words=("list",)).output
    assert "refused 2026-01-31" in answering(closed, words=("list", "--closed")).output


def test_fulfil_and_close_say_how_it_ended() -> None:
    assert "fulfilled 2026-01-31" in answering(ONE, words=("fulfil", str(ONE.id))).output
    told = answering(ONE, words=("close", str(ONE.id), "--as", "withdrawn", "--json"))
    assert json.loads(told.output)["outcome"] == "withdrawn"
    assert answering(ONE, words=("close", str(ONE.id))).exit_code == 2
