"""What the command line tells of itself, and what it hands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from adapters.inbound.cli import Options, command_line
from bootstrap.commands import COMMANDS
from bootstrap.settings import variables

SERVED: dict[str, object] = {}


def serve(work: bool, options: Options) -> None:
    SERVED["serve"] = (work, dict(options))


def work(options: Options) -> None:
    SERVED["work"] = dict(options)


def reset(really: bool, options: Options) -> Sequence[str]:
    SERVED["reset"] = (really, dict(options))
    return ["it"]


APP = command_line(replace(COMMANDS, serve=serve, work=work, reset=reset))


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
