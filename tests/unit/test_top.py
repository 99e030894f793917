"""`pico top`: what it shows, as a screen and for scripts, and what its exit code means."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from adapters.inbound.cli import command_line
from adapters.inbound.cli.backlog_report import overdue, screen, shown
from adapters.inbound.cli.options import Options
from adapters.inbound.cli.top import Told
from application.backlog import NOT_AT_ALL, ErasuresAt, Overview
from application.ports.backlog import QueuedWork
from bootstrap.commands import COMMANDS
from bootstrap.worlds import InMemory
from domain.residue import Holding

HOUR = timedelta(hours=1)
QUIET = Overview(
    work=[], failing={}, oldest_due_deletion=NOT_AT_ALL, oldest_carrier_copy=NOT_AT_ALL,
    erasures={"intent": ErasuresAt(), "mail": ErasuresAt(), "receipt": ErasuresAt()},
    held=dict.fromkeys(Holding, 0), epoch=3, epoch_age=timedelta(days=2), ledger_records=7, records_noted=7,
)  # fmt: skip
BUSY = replace(
    QUIET,
    work=[
        QueuedWork("send_message", due=4, later=1, late=timedelta(minutes=9), age=HOUR),
        QueuedWork("mail_verification", due=0, later=2, late=NOT_AT_ALL, age=HOUR),
    ],
    failing={"carrier_unavailable": 4},
    oldest_due_deletion=3 * HOUR,
    erasures={**QUIET.erasures, "mail": ErasuresAt(2, 3 * HOUR)},
    held={**QUIET.held, Holding.MESSAGE: 5},
)


def ran(*words: str, seen: Sequence[Overview | str] = (QUIET,)) -> Result:
    def watch(_options: Options, every: float | None, told: Told) -> None:
        assert every == (None if "--once" in words else 2.0)
        for each in seen[: 1 if every is None else len(seen)]:
            told(each)

    return CliRunner().invoke(command_line(replace(COMMANDS, watch=watch)), ["top", *words])


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (QUIET, 0), (BUSY, 1), (replace(QUIET, oldest_due_deletion=HOUR), 0), (replace(QUIET, records_noted=6), 1),
    ],
)  # fmt: skip
def test_the_exit_code_of_one_look_says_whether_a_promise_is_late(found: Overview, code: int) -> None:
    assert ran("--once", seen=[found]).exit_code == ran("--once", "--json", seen=[found]).exit_code == code
    assert overdue(found) is bool(code)


def test_a_script_reads_a_line_for_each_look() -> None:
    told = ran("--json", seen=[BUSY, "store_unavailable", QUIET])
    assert told.exit_code == 0
    busy, away, quiet = map(json.loads, told.output.splitlines())
    assert away == {"error": "store_unavailable"}
    assert quiet == shown(QUIET)
    assert busy["queue"][0] == {"job": "send_message", "due": 4, "later": 1, "late_seconds": 540.0}
    assert busy["failing"] == {"carrier_unavailable": 4}
    assert busy["erasures"]["mail"] == {"count": 2, "oldest_seconds": 10800.0}
    assert busy["held_by_providers"] == {**{holding.value: 0 for holding in Holding}, "message": 5}
    assert busy["oldest_due_deletion_seconds"] == 10800.0


def drawn(found: Overview) -> str:
    console = Console(width=80, record=True, force_terminal=True)
    console.print(screen(found))
    return console.export_text(styles=True)


def test_the_screen_shows_queue_erasures_and_providers_and_what_is_late_in_red() -> None:
    busy = drawn(BUSY)
    assert "intent" not in busy, "an empty step takes a line of a small terminal"
    assert len(busy.splitlines()) <= 24
    for line in (
        "send_message",
        "mail_verification",
        "held of erasures: message",
        "jobs that failed of carrier_unavailable",
    ):
        assert line in busy
    red = re.findall(r"\x1b\[1;31m\s*([^\x1b]*?)\s*\x1b", busy)
    assert red == ["3 h", "9 min", "3 h", "4"]
    assert "\x1b[1;31m" not in drawn(QUIET)


def test_a_look_that_fails_shows_why_and_goes_on() -> None:
    told = ran(seen=["store_unavailable", BUSY])
    assert told.exit_code == 0
    assert "store_unavailable" in told.output
    assert "send_message" in told.output


def test_a_world_is_shown_as_it_is_and_names_nobody() -> None:
    world = InMemory()

    async def look() -> Overview:
        ada = await world.signed_up("ada")
        await ada.deletes_account()
        world.mail.outage = True
        await world.advance(timedelta(days=30))
        await world.advance(timedelta(hours=2))
        return await world.use_cases.read_backlog()

    found = asyncio.run(look())
    assert shown(found)["erasures"]["mail"] == {"count": 1, "oldest_seconds": 7200.0}
    assert found.failing == {"mail_unavailable": 1}
    assert "ada" not in json.dumps(shown(found)) + drawn(found)
