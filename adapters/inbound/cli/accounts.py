"""The command that counts accounts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeAlias

import typer

from adapters.inbound.cli.options import AsJson, Options, StateDir, said
from domain.accounts import AccountState

CountAccounts: TypeAlias = Callable[[Options], Mapping[AccountState, int]]
"""Answers how many accounts there are in each state."""


def add_accounts_command(app: typer.Typer, count: CountAccounts) -> None:
    """Add it to the program."""

    @app.command()
    def accounts(*, as_json: AsJson = False, state_dir: StateDir = None) -> None:
        """Show how many accounts there are in each state: counts, and nothing of anybody."""
        counts = {str(state): number for state, number in count(said(state_dir=state_dir)).items()}
        if as_json:
            typer.echo(json.dumps(counts, indent=2))
        else:
            for state, number in counts.items():
                typer.echo(f"{number:>10}  {state}")
