"""The command that checks an export."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from adapters.inbound.cli.options import AsJson

VerifyExport: TypeAlias = Callable[[Path], Sequence[str]]
"""Answers what is wrong with an export that somebody has; opens nothing."""


def add_export_command(app: typer.Typer, check: VerifyExport) -> None:
    """Add it to the program."""

    @app.command()
    def export(
        *,
        verify: Annotated[Path, typer.Option(help="The zip that somebody downloaded.")],
        as_json: AsJson = False,
    ) -> None:
        """Check an export on any machine, without an account and without us; exit code 1 when something is wrong.

        Every file is compared with the manifest, and every record with the schema.
        """
        try:
            problems = check(verify)
        except OSError:
            raise typer.BadParameter(f"{verify} cannot be read.") from None
        if as_json:
            typer.echo(json.dumps({"whole": not problems, "problems": list(problems)}, indent=2))
        else:
            typer.echo("\n".join(problems) or "It is whole.")
        raise typer.Exit(1 if problems else 0)
