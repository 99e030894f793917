"""The doctor in a Sandbox: what holds there, and what only Production can show."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from adapters.inbound.cli.doctor_report import Outcome, exit_code
from bootstrap.doctor.examination import examine
from bootstrap.doctor.examined import sandbox
from bootstrap.postgres_server import PostgresUnavailable
from bootstrap.settings import Settings
from bootstrap.worlds.sandbox import Sandbox
from tests.support.sandbox_process import ROOT

HERE = {"rows-server", "keyring-server", "due", "clocks", "twilio", "sendgrid"}


async def test_it_says_what_holds_and_what_only_production_can_show(tmp_path: Path) -> None:
    settings = Settings(port=0, state_dir=tmp_path)
    async with Sandbox.running(settings) as running:
        async with sandbox(settings) as looked_at:
            found = await examine(looked_at)
        outside = {name: value for name, value in os.environ.items() if not name.startswith("PICO_")}
        command = ("-m", "bootstrap", "doctor", "--json", "--state-dir", str(tmp_path))
        shown = await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=ROOT, env=outside, stdout=asyncio.subprocess.PIPE
        )
        printed, _ = await asyncio.wait_for(shown.communicate(), 60)
        assert running.url
    assert [(each.name, each.says) for each in found if each.outcome is Outcome.BROKEN] == []
    assert [(each.name, each.says) for each in found if each.outcome is Outcome.UNKNOWN] == []
    kept = {each.name.partition(".")[0] for each in found if each.outcome is Outcome.KEPT}
    assert kept == HERE
    elsewhere = {each.name for each in found if each.outcome is Outcome.ELSEWHERE}
    assert {"rows.encrypted", "ledger.locked", "rows-server.tls", "twilio.application"} <= elsewhere
    assert exit_code(found) == 0
    assert shown.returncode == 0
    said = json.loads(printed)
    assert said["keeps"] is True
    assert {each["check"] for each in said["findings"]} == {each.name for each in found}


async def test_where_no_sandbox_runs_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(PostgresUnavailable, match="No Sandbox runs"):
        async with sandbox(Settings(port=0, state_dir=tmp_path)):
            pass
