"""The commands about keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from adapters.inbound.cli.options import Options, StateDir, said


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCommands:
    """What the commands do."""

    rotate_master: Callable[[Options, Callable[[int, int], None]], Sequence[str]]
    """Wraps every key under a new master key; the second argument hears of progress. Answers what becomes of others."""
    rotate_accounts: Callable[[UUID | None, int | None, Options, Callable[[str], None]], Sequence[str]]
    """Gives an account another key, or all whose key is older than so many days; the last hears of progress."""


def add_key_commands(app: typer.Typer, commands: KeyCommands) -> None:
    """Add them to the program."""
    keys = typer.Typer(no_args_is_help=True, help="Look after the keys.")
    app.add_typer(keys, name="keys")

    @keys.command("rotate-master")
    def rotate_master(*, state_dir: StateDir = None) -> None:
        """Wrap every living key under a new master key, and have the former one deleted.

        It is done on schedule, too. Where it was cut off, it goes on when it is called again.
        """
        console = Console(stderr=True)
        with console.status("Wrapping keys") as status:

            def told(done: int, broken: int) -> None:
                status.update(f"Wrapping keys: {done} done, {broken} do not open")

            for line in commands.rotate_master(said(state_dir=state_dir), told):
                typer.echo(line)

    @keys.command("rotate-account")
    def rotate_account(
        account_id: Annotated[
            UUID | None, typer.Argument(metavar="[ACCOUNT]", help="The account that gets another key.")
        ] = None,
        *,
        all_older_than: Annotated[
            int | None,
            typer.Option(metavar="<days>", min=0, help="Every account whose key is older than so many days."),
        ] = None,
        state_dir: StateDir = None,
    ) -> None:
        """Bring everything of an account under another key, while it is in use, and destroy the former key.

        It waits for six minutes, until every process knows of the new key. Where it was cut off, it goes on when it is
        called again.
        """
        if (account_id is None) == (all_older_than is None):
            raise typer.BadParameter("Name an account, or say --all-older-than DAYS.")
        console = Console(stderr=True)
        with console.status("Making keys") as status:
            for line in commands.rotate_accounts(
                account_id, all_older_than, said(state_dir=state_dir), status.update
            ):
                typer.echo(line)
