"""What the commands do that run Pico, show it, and begin it anew."""

# ruff: noqa: PLC0415 - the heavy half is imported when a command needs it

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import typer
from rich.console import Console

from adapters.inbound.cli.options import Options
from adapters.inbound.cli.running import RunningCommands
from bootstrap.settings import Settings, World, chosen_world, read_settings


def serve(work: bool, options: Options) -> None:  # noqa: FBT001 - the shape that the command line asks for
    """Serve the chosen world until the process is told to end. Raises BadSettings and what the world raises."""
    from bootstrap.event_loop import run

    run(_serve(options, work=work))


async def _serve(options: Options, *, work: bool) -> None:
    from bootstrap.garbage import settle
    from bootstrap.process import ending

    if chosen_world() is World.PRODUCTION:
        from bootstrap.worlds.production import Production

        async with Production.from_environment(options).running(work=work) as url:
            settle()
            told = ending()
            typer.echo(f"Pico serves at {url} - stop with Ctrl-C")
            await told.wait()
    else:
        from bootstrap.worlds.sandbox import Sandbox

        async with Sandbox.running(read_settings(Settings, options), work=work) as sandbox:
            settle()
            told = ending()
            typer.echo(
                f"Pico serves at {sandbox.url} - documentation at {sandbox.url}/docs - stop with Ctrl-C"
            )
            await told.wait()


def work(options: Options) -> None:
    """Run jobs and sweeps of the chosen world until the process is told to end. Raises as `serve`."""
    from bootstrap.event_loop import run

    run(_work(options))


async def _work(options: Options) -> None:
    from bootstrap.garbage import settle
    from bootstrap.process import ending

    working: AbstractAsyncContextManager[None]
    if chosen_world() is World.PRODUCTION:
        from bootstrap.worlds.production import Production

        working = Production.from_environment(options).working()
    else:
        from bootstrap.worlds.sandbox import Sandbox

        working = Sandbox.working(read_settings(Settings, options))
    async with working:
        settle()
        told = ending()
        typer.echo("Pico works - stop with Ctrl-C")
        await told.wait()


def tour(console: Console) -> int:
    """Play the tour; return how many traces were left."""
    from bootstrap.tour import tour as play

    return play(console)


def reset(really: bool, options: Options) -> Sequence[str]:  # noqa: FBT001 - the one answer that the command line passes on
    """Return what goes of the Sandbox on the state folder, or would go, and delete it if told `really`.

    Raises BadSettings while a Sandbox runs there, and PostgresUnavailable when its database is not ours to delete.
    """
    from bootstrap.sandbox_reset import reset as begin_anew

    return begin_anew(read_settings(Settings, options).state_dir, really=really)


RUNNING_COMMANDS = RunningCommands(serve=serve, work=work, reset=reset, tour=tour)
