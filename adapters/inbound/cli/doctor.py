"""The command that looks whether the policy is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TypeAlias

import typer
from rich.console import Console

from adapters.inbound.cli.doctor_report import Finding, exit_code, shown, summary, table
from adapters.inbound.cli.options import AsJson, Options, StateDir, said

Examine: TypeAlias = Callable[[Options], Sequence[Finding]]
"""Answers what every check came to; changes nothing."""


def add_doctor_command(app: typer.Typer, examine: Examine) -> None:
    """Add it to the program."""

    @app.command()
    def doctor(*, as_json: AsJson = False, state_dir: StateDir = None) -> None:
        """Look at everything that stands, and say clause by clause whether it keeps the policy. It changes nothing.

        Exit code 1 when something is broken, 2 when something could not be told. In the Sandbox it says what holds
        there, and what only Production can show.
        """
        findings = examine(said(state_dir=state_dir))
        if as_json:
            typer.echo(json.dumps(shown(findings), indent=2))
        else:
            Console().print(table(findings))
            typer.echo(summary(findings))
        raise typer.Exit(exit_code(findings))
