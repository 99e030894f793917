"""The command that compares numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, TypeAlias

import typer

from adapters.inbound.cli.number_report import shown, told
from adapters.inbound.cli.options import AsJson, Options, StateDir, said
from application.number_reconciliation import Comparison
from domain.kernel import PicoError

Reconcile: TypeAlias = Callable[[bool, Options], Comparison]
"""Compares the carrier's numbers with our lines; gives orphans back if the argument says so."""


def add_reconcile_command(app: typer.Typer, do: Reconcile, environment: str) -> None:
    """Add it to the program; `environment` says which variables there are."""

    @app.command(epilog=environment)
    def reconcile(
        *,
        really: Annotated[
            bool, typer.Option("--really", help="Give orphans back: without this, nothing is changed.")
        ] = False,
        as_json: AsJson = False,
        state_dir: StateDir = None,
    ) -> None:
        """Compare the numbers that the carrier bills with the lines that lease them; exit code 1 where they differ.

        An orphan is billed and leased by no line. With `--really` it goes back to the carrier once it was held for a
        day, if it was bought here, and unless there are so many that our store must be the wrong one (exit code 3, as
        when the carrier gives no answer); a line whose number is missing is looked at again, and is then lost.
        """
        raise typer.Exit(_reconciled(do, said(state_dir=state_dir), really=really, as_json=as_json))


def _reconciled(do: Reconcile, options: Options, *, really: bool, as_json: bool) -> int:
    """Compare, print, and return the exit code."""
    try:
        compared = do(really, options)
    except PicoError as error:
        typer.echo(f"pico: {error}", err=True)
        return 3
    typer.echo(json.dumps(shown(compared), indent=2) if as_json else told(compared))
    return 0 if compared.agrees else 1
