"""The command line: what each command is called, what it takes, what it prints."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from adapters.inbound.data_request_commands import DataRequestCommands, add_data_request_commands
from adapters.inbound.number_report import shown, told
from adapters.inbound.operators import OperatorCommands, Options, StateDir, add_operator_commands, said
from adapters.inbound.policy_command import PolicyCommands, add_policy_command
from adapters.inbound.top_command import Watch, add_top_command
from application.number_reconciliation import Comparison
from domain.kernel import PicoError


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """What the commands do. Each returns when it is done, or when the process is told to end."""

    serve: Callable[[bool, Options], None]
    """Serves; runs jobs and sweeps too if the argument says so."""
    work: Callable[[Options], None]
    reset: Callable[[bool, Options], Sequence[str]]
    """Answers what goes, or would go, of a Sandbox that does not run; it goes if the argument says so."""
    tour: Callable[[Console], int]
    """Returns how many traces were left."""
    migrate: Callable[[bool, Options], None]
    """Brings both schemas up to date; shards the tables over the nodes of a Citus cluster if the argument says so."""
    distribution: Callable[[], Sequence[str]]
    """Answers the statements by which the tables are sharded."""
    back_up: Callable[[Options], Sequence[str]]
    """Makes a set of each database and removes old ones; answers what was made and removed."""
    restore: Callable[[str | None, str | None, bool, Options], Sequence[str]]
    """Answers what it restores, or would: the main database's set, the keyring's, whether really."""
    rotate_master: Callable[[Options, Callable[[int, int], None]], Sequence[str]]
    """Wraps every key under a new master key; the second argument hears of progress. Answers what becomes of others."""
    rotate_accounts: Callable[[UUID | None, int | None, Options, Callable[[str], None]], Sequence[str]]
    """Gives an account another key, or all whose key is older than so many days; the last hears of progress."""
    reconcile: Callable[[bool, Options], Comparison]
    """Compares the carrier's numbers with our lines; gives orphans back if the argument says so."""
    policy: PolicyCommands
    variables: Mapping[str, str]
    """What can be set in the environment, and what each is for."""
    operator: OperatorCommands
    data_requests: DataRequestCommands
    watch: Watch


Port = Annotated[str | None, typer.Option(help="Where the API listens, instead of PICO_PORT.")]


def command_line(commands: Commands) -> typer.Typer:
    """Return the program. Its commands raise what their functions raise."""
    app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
    environment = _environment(commands.variables)

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

    _backups(app, commands)
    app.add_typer(_keys(commands), name="keys")
    _add_reconcile(app, commands, environment)

    add_policy_command(app, commands.policy)
    add_operator_commands(app, commands.operator)
    add_top_command(app, commands.watch)
    add_data_request_commands(app, commands.data_requests)
    return app


def _backups(app: typer.Typer, commands: Commands) -> None:
    """Add the commands about backups."""

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


def _keys(commands: Commands) -> typer.Typer:
    """Return the commands about keys."""
    keys = typer.Typer(no_args_is_help=True)

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

    @keys.callback()
    def about() -> None:
        """Look after the keys."""

    return keys


def _add_reconcile(app: typer.Typer, commands: Commands, environment: str) -> None:
    @app.command(epilog=environment)
    def reconcile(
        *,
        really: Annotated[
            bool, typer.Option("--really", help="Give orphans back: without this, nothing is changed.")
        ] = False,
        as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
        state_dir: StateDir = None,
    ) -> None:
        """Compare the numbers that the carrier bills with the lines that lease them; exit code 1 where they differ.

        An orphan is billed and leased by no line. With `--really` it goes back to the carrier once it was held for a
        day, if it was bought here, and unless there are so many that our store must be the wrong one (exit code 3, as
        when the carrier gives no answer); a line whose number is missing is looked at again, and is then lost.
        """
        raise typer.Exit(_reconciled(commands, said(state_dir=state_dir), really=really, as_json=as_json))


def _reconciled(commands: Commands, options: Options, *, really: bool, as_json: bool) -> int:
    """Compare, print, and return the exit code."""
    try:
        compared = commands.reconcile(really, options)
    except PicoError as error:
        typer.echo(f"pico: {error}", err=True)
        return 3
    typer.echo(json.dumps(shown(compared), indent=2) if as_json else told(compared))
    return 0 if compared.agrees else 1


def _environment(variables: Mapping[str, str]) -> str:
    return "\n\n".join(["Variables:", *(f"{name}: {says}" for name, says in variables.items())])


def _tell_of_reset(goes: Sequence[str], *, really: bool) -> None:
    for what in goes:
        typer.echo(f"{'deleted' if really else 'would delete'}  {what}")
    if not goes:
        typer.echo("Nothing to delete: no Sandbox has run there.")
    elif not really:
        typer.echo("Nothing is deleted yet. To delete it: ./pico reset --really")
