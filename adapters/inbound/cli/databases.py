"""The commands about the databases: their schema, and their backups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from adapters.inbound.cli.options import Options, StateDir, said


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseCommands:
    """What the commands do."""

    migrate: Callable[[bool, Options], None]
    """Brings both schemas up to date; shards the tables over the nodes of a Citus cluster if the argument says so."""
    distribution: Callable[[], Sequence[str]]
    """Answers the statements by which the tables are sharded."""
    back_up: Callable[[Options], Sequence[str]]
    """Makes a set of each database and removes old ones; answers what was made and removed."""
    restore: Callable[[str | None, str | None, bool, Options], Sequence[str]]
    """Answers what it restores, or would: the main database's set, the keyring's, whether really."""


def add_database_commands(app: typer.Typer, commands: DatabaseCommands) -> None:
    """Add them to the program."""

    @app.command()
    def migrate(
        *,
        distribute: Annotated[
            bool, typer.Option("--distribute", help="Shard the tables over the nodes of a Citus cluster.")
        ] = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="With --distribute: print its statements, and do nothing.")
        ] = False,
        state_dir: StateDir = None,
    ) -> None:
        """Bring both databases' schemas up to date. Repeating is harmless. Our own databases must not be in use."""
        if dry_run:
            if not distribute:
                raise typer.BadParameter("--dry-run prints what --distribute does: give both")
            for statement in commands.distribution():
                typer.echo(f"{statement};")
            return
        commands.migrate(distribute, said(state_dir=state_dir))
        Console().print("The schema is up to date.")

    @app.command()
    def backup(*, state_dir: StateDir = None) -> None:
        """Back up the main database without its keys, and the keyring, and remove the sets whose time is over.

        Rows are kept for 30 days, keys for seven. Run it every day: it may run beside `serve`.
        """
        for line in commands.back_up(said(state_dir=state_dir)):
            typer.echo(line)

    @app.command()
    def restore(
        backup_set: Annotated[
            str | None,
            typer.Argument(metavar="[SET]", help="A set of the main database; the newest when unset."),
        ] = None,
        *,
        keyring: Annotated[
            str | None,
            typer.Option(help="Restore the keys from this set, too; they stay as they are when unset."),
        ] = None,
        really: Annotated[
            bool, typer.Option("--really", help="Do it: without this, it is only shown.")
        ] = False,
        state_dir: StateDir = None,
    ) -> None:
        """Make the database what it was at a backup. What was erased since is erased again before anyone is served."""
        for line in commands.restore(backup_set, keyring, really, said(state_dir=state_dir)):
            typer.echo(line)
        if not really:
            typer.echo("Nothing is restored yet. To do it, add --really.")
