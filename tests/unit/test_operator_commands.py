"""What operators' commands print, and what their exit codes mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from typer.testing import CliRunner, Result

from adapters.inbound.cli import command_line
from adapters.inbound.cli.options import Options
from application.audit_log import AuditReport, Point
from application.erasure_view import ErasureUnderWay
from application.receipts import ShownReceipt, publicly_signed
from bootstrap.commands import COMMANDS
from bootstrap.worlds import InMemory
from domain.audit_chain import Finding, Flaw
from domain.receipts import Receipt

HEADS: dict[int, Point] = {0: (3, b"a" * 32), 1: (2, b"b" * 32)}
ASKED: list[Mapping[int, Point]] = []


def ran(*words: str, findings: tuple[Finding, ...] = ()) -> Result:
    def verify(seen: Mapping[int, Point], _options: Options) -> AuditReport:
        ASKED.append(seen)
        return AuditReport(5, 1, HEADS, findings)

    commands = replace(COMMANDS, audit=replace(COMMANDS.audit, verify=verify))
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


UNDER_WAY = ErasureUnderWay(
    fingerprint=b"f" * 32, account_id=None, state="waiting", step="keys", age=timedelta(hours=2), attempts=3,
    failure="keys_unavailable", due_at=None,
)  # fmt: skip


def showing(*found: ErasureUnderWay, words: tuple[str, ...] = ()) -> Result:
    commands = replace(COMMANDS, erasures=replace(COMMANDS.erasures, erasures=lambda _options: found))
    return CliRunner().invoke(command_line(commands), ["erasures", *words])


def test_erasures_are_shown_with_state_step_age_and_the_last_code() -> None:
    told = showing(UNDER_WAY)
    assert told.exit_code == 0
    for word in ("waiting", "keys", "2:00:00", "keys_unavailable", "attempts: 3"):
        assert word in told.output
    assert json.loads(showing(UNDER_WAY, words=("--json",)).output)[0]["age_seconds"] == 7200


def test_an_erasure_that_nobody_goes_on_with_is_exit_code_1() -> None:
    assert showing(replace(UNDER_WAY, state="dead")).exit_code == 1
    assert showing(replace(UNDER_WAY, state="lost")).exit_code == 1
    assert showing().exit_code == 0


async def test_a_receipt_is_checked_on_any_machine_and_an_altered_one_is_told(
    world: InMemory, tmp_path: Path
) -> None:
    name, facts = b"n" * 32, {"finished_at": "2026-01-01T00:00:00+00:00", "rows_left": 0}
    signed = await publicly_signed(world.signing, name, facts)
    shown = ShownReceipt((Receipt(name, signed, b""),), await world.signing.public_key())
    commands = replace(
        COMMANDS, erasures=replace(COMMANDS.erasures, receipts=lambda _account, _options: shown)
    )
    app, file = command_line(commands), tmp_path / "receipt.json"
    told = CliRunner().invoke(app, ["receipt", "show", "0192d8e0-1f6e-7c3a-9d51-2f6f6b0f3a10"])
    file.write_text(told.output)
    check = partial(CliRunner().invoke, app)
    assert check(["receipt", "verify", str(file)]).exit_code == 0
    assert check(["receipt", "verify", str(file), "--key", shown.public_key.hex()]).exit_code == 0
    assert check(["receipt", "verify", str(file), "--key", "00" * 32]).exit_code == 1
    assert check(["receipt", "verify", str(file), "--key", "00"]).exit_code == 2
    file.write_text(told.output.replace('"rows_left": 0', '"rows_left": 1'))
    assert check(["receipt", "verify", str(file)]).exit_code == 1
    file.write_text("{}")
    assert check(["receipt", "verify", str(file)]).exit_code == 2
