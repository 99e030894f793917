"""What operators' commands print, and what their exit codes mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner, Result

from adapters.inbound.cli import command_line
from adapters.inbound.operators import Options
from application.audit_log import AuditReport, Point
from bootstrap.commands import COMMANDS
from domain.audit_chain import Finding, Flaw

HEADS: dict[int, Point] = {0: (3, b"a" * 32), 1: (2, b"b" * 32)}
ASKED: list[Mapping[int, Point]] = []


def ran(*words: str, findings: tuple[Finding, ...] = ()) -> Result:
    def verify(seen: Mapping[int, Point], _options: Options) -> AuditReport:
        ASKED.append(seen)
        return AuditReport(5, 1, HEADS, findings)

    commands = replace(COMMANDS, operator=replace(COMMANDS.operator, verify_audit_log=verify))
    return CliRunner().invoke(command_line(commands), list(words))


def test_a_sound_log_is_exit_code_0_and_an_unsound_one_1() -> None:
    sound, unsound = ran("audit", "verify"), ran("audit", "verify", findings=(Finding(3, 7, Flaw.CHANGED),))
    assert (sound.exit_code, unsound.exit_code) == (0, 1)
    assert "chain 3, place 7: changed" in unsound.output


def test_what_a_script_was_told_can_be_compared_with_later(tmp_path: Path) -> None:
    told, file = ran("audit", "verify", "--json"), tmp_path / "earlier.json"
    assert json.loads(told.output)["sound"] is True
    file.write_text(told.output)
    assert ran("audit", "verify", "--against", str(file)).exit_code == 0
    assert ASKED[-1] == HEADS


def test_what_is_no_report_is_refused(tmp_path: Path) -> None:
    for content in ("", "[]", "{}", '{"heads": {"1": 3}}'):
        (tmp_path / "no.json").write_text(content)
        assert ran("audit", "verify", "--against", str(tmp_path / "no.json")).exit_code == 2
