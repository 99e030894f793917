"""The commands that run Pico, show it, and begin it anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from adapters.inbound.cli.options import Options, StateDir, said


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningCommands:
    """What the commands do. Each returns when it is done, or when the process is told to end."""

    serve: Callable[[bool, Options], None]
    """Serves; runs jobs and sweeps too if the argument says so."""
    work: Callable[[Options], None]
    reset: Callable[[bool, Options], Sequence[str]]
    """Answers what goes, or would go, of a Sandbox that does not run; it goes if the argument says so."""
    tour: Callable[[Console], int]
    """Returns how many traces were left."""


Port = Annotated[str | None, typer.Option(help="Where the API listens, instead of PICO_PORT.")]


def add_running_commands(app: typer.Typer, commands: RunningCommands, environment: str) -> None:
    """Add them to the program; `environment` says which variables there are."""

    @app.command(epilog=environment)
    def serve(
        *,
        no_work: Annotated[
            bool, typer.Option("--no-work", help="Leave jobs and sweeps to `work`, in a process of its own.")
        ] = False,
        port: Port = None,
        state_dir: StateDir = None,
    ) -> None:
        """Serve the Sandbox, the whole product on this machine; or Production, with PICO_WORLD=production."""
        commands.serve(not no_work, said(port=port, state_dir=state_dir))

    @app.command(epilog=environment)
    def work(*, state_dir: StateDir = None) -> None:
        """Run jobs and sweeps for what `serve --no-work` serves in another process."""
        commands.work(said(state_dir=state_dir))

    @app.command()
    def reset(
        *,
        really: Annotated[
            bool, typer.Option("--really", help="Delete it: without this, it is only shown.")
        ] = False,
        state_dir: StateDir = None,
    ) -> None:
        """Delete everything that a Sandbox keeps, and set its clock right again. It must not be running."""
        _tell_of_reset(commands.reset(really, said(state_dir=state_dir)), really=really)

    @app.command()
    def tour() -> None:
        """Play three accounts' whole lives in a throw-away Sandbox, in about a minute, and look for traces."""
        console = Console()
        left = commands.tour(console)
        console.print(f"\n[bold]{left} traces left.[/bold]" + ("" if left else " That is the policy, kept."))
        raise typer.Exit(1 if left else 0)


def _tell_of_reset(goes: Sequence[str], *, really: bool) -> None:
    for what in goes:
        typer.echo(f"{'deleted' if really else 'would delete'}  {what}")
    if not goes:
        typer.echo("Nothing to delete: no Sandbox has run there.")
    elif not really:
        typer.echo("Nothing is deleted yet. To delete it: ./pico reset --really")
