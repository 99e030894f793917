"""The command that shows, as it changes, what is still to be done."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, TypeAlias

import typer
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from adapters.inbound.cli.backlog_report import overdue, screen, shown
from adapters.inbound.cli.options import AsJson, Options, StateDir, said
from application.backlog import Overview

Told: TypeAlias = Callable[[Overview | str], None]
"""Hears what was seen, or the code of why it could not be."""
Watch: TypeAlias = Callable[[Options, float | None, Told], None]
"""Looks every so many seconds until the process is told to end; only once where there are none."""


def add_top_command(app: typer.Typer, watch: Watch) -> None:
    """Add it to the program."""

    @app.command()
    def top(
        *,
        once: Annotated[bool, typer.Option("--once", help="Look once, print, and end.")] = False,
        as_json: AsJson = False,
        every: Annotated[float, typer.Option(min=1.0, help="Seconds between two looks.")] = 2.0,
        state_dir: StateDir = None,
    ) -> None:
        """Show queue, erasures by step and providers, live; it names nobody. Ctrl-C ends it.

        With `--once`, exit code 1 when a deletion has been due for more than an hour, or the database does not know
        all of the erasure ledger. `--json` prints a line for each look.
        """
        options, console, seen = said(state_dir=state_dir), Console(), list[Overview]()

        def printed(found: Overview | str) -> None:
            seen.extend([found] if isinstance(found, Overview) else [])
            if as_json:
                line = {"error": found} if isinstance(found, str) else shown(found)
                typer.echo(json.dumps(line))
            else:
                console.print(_drawn(found))

        if once or as_json or not console.is_terminal:
            watch(options, None if once else every, printed)
            raise typer.Exit(1 if once and any(map(overdue, seen)) else 0)
        with Live(Text("Looking…"), console=console, screen=True) as live:
            watch(options, every, lambda found: live.update(_drawn(found), refresh=True))


def _drawn(found: Overview | str) -> RenderableType:
    return (
        Text(f"What is open cannot be read: {found}", style="bold red")
        if isinstance(found, str)
        else screen(found)
    )
