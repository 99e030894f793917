"""What the command line tells of itself, and what it hands on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from typer.testing import CliRunner

from adapters.inbound.cli import command_line
from adapters.inbound.cli.options import Options
from application.number_reconciliation import Comparison, Difference, Mismatch
from bootstrap.commands import COMMANDS
from bootstrap.settings import variables
from domain.kernel import CarrierRef, LineId
from domain.money import Money
from domain.orphan_numbers import TooManyStrangers

SERVED: dict[str, object] = {}


def serve(work: bool, options: Options) -> None:
    SERVED["serve"] = (work, dict(options))


def work(options: Options) -> None:
    SERVED["work"] = dict(options)


def reset(really: bool, options: Options) -> Sequence[str]:
    SERVED["reset"] = (really, dict(options))
    return ["it"]


def reconcile(really: bool, options: Options) -> Comparison:
    SERVED["reconcile"] = (really, dict(options))
    if "state_dir" in options:
        raise TooManyStrangers
    orphan = Difference(
        kind=Mismatch.ORPHAN, ref=CarrierRef("PN1"), line_id=LineId(UUID(int=1)), price=Money(115, "USD"),
        released=really,
    )  # fmt: skip
    return Comparison(3, 2, (orphan,))


RUNNING = replace(COMMANDS.running, serve=serve, work=work, reset=reset)
APP = command_line(replace(COMMANDS, running=RUNNING, reconcile=reconcile))


def said(*words: str, width: int = 300) -> str:
    result = CliRunner().invoke(APP, list(words), env={"COLUMNS": str(width)}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("command", ["serve", "work"])
def test_help_names_every_variable_and_what_it_is_for(command: str) -> None:
    told = said(command, "--help")
    missing = [name for name, says in variables().items() if f"{name}: {says}" not in told]
    assert missing == []


@pytest.mark.parametrize(
    ("words", "handed_on"),
    [
        (["serve"], {"serve": (True, {})}),
        (["serve", "--no-work", "--port", "0"], {"serve": (False, {"port": "0"})}),
        (["work", "--state-dir", "x"], {"work": {"state_dir": "x"}}),
        (["reset"], {"reset": (False, {})}),
        (["reset", "--really", "--state-dir", "x"], {"reset": (True, {"state_dir": "x"})}),
    ],
)  # fmt: skip
def test_options_are_handed_on_as_they_were_given(words: list[str], handed_on: Mapping[str, object]) -> None:
    SERVED.clear()
    said(*words)
    assert handed_on == SERVED


def test_a_reset_that_was_not_meant_says_so() -> None:
    assert said("reset") == "would delete  it\nNothing is deleted yet. To delete it: ./pico reset --really\n"
    assert said("reset", "--really") == "deleted  it\n"


def test_a_comparison_of_numbers_tells_by_its_exit_code_and_in_json() -> None:
    asked = CliRunner().invoke(APP, ["reconcile", "--json"])
    assert (asked.exit_code, SERVED["reconcile"]) == (1, (False, {}))
    assert json.loads(asked.output) == {
        "held": 3, "leased": 2, "agrees": False, "wasted_per_month": [{"amount": 115, "currency": "USD"}],
        "differences": [{
            "kind": "orphan", "ref": "PN1", "line_id": str(UUID(int=1)),
            "price_per_month": {"amount": 115, "currency": "USD"}, "released": False,
        }],
    }  # fmt: skip
    done = CliRunner().invoke(APP, ["reconcile", "--really"])
    assert (done.exit_code, SERVED["reconcile"]) == (0, (True, {}))
    assert done.output.startswith("released  ref PN1 line ")
    refused = CliRunner().invoke(APP, ["reconcile", "--state-dir", "x"])
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "differ so much" in refused.stderr
