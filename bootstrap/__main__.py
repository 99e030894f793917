"""The command line."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.table import Table

from adapters.inbound.http.server import CannotListen
from application.inventory import INVENTORY
from bootstrap.policy import ClauseStatus, Verdict, judge, parse, proofs_in, with_data_map
from bootstrap.postgres_server import PostgresUnavailable
from bootstrap.settings import ROOT, BadSettings, Settings, read_settings

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


def configure_logs() -> None:
    """Write our own events to standard error, a line each; libraries' records quote what they see and go nowhere."""
    logging.getLogger().addHandler(logging.NullHandler())
    logging.disable(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


@app.command()
def serve() -> None:
    """Serve the Sandbox: the whole product on this machine, with a simulated carrier."""
    asyncio.run(_serve(read_settings()))


async def _serve(settings: Settings) -> None:
    from bootstrap.worlds.sandbox import Sandbox  # noqa: PLC0415 - the heavy half is loaded only where it is needed

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Sandbox.running(settings) as sandbox:
        print(
            f"Pico serves at {sandbox.url} - documentation at {sandbox.url}/docs - stop with Ctrl-C",
            flush=True,
        )
        await stop.wait()


@app.command()
def tour() -> None:
    """Play two accounts' whole lives in a throw-away Sandbox, in under a minute, and look for traces."""
    from bootstrap.tour import tour as play  # noqa: PLC0415 - see _serve

    raise typer.Exit(play(Console()))


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date. Repeating is harmless. Our own database must not be in use."""
    asyncio.run(_migrate(read_settings()))


async def _migrate(settings: Settings) -> None:
    from contextlib import AsyncExitStack  # noqa: PLC0415

    from adapters.outbound.postgres.schema import migrate as bring_up_to_date  # noqa: PLC0415 - see _serve
    from bootstrap.worlds.sandbox import databases  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        database_url, _, _ = await databases(settings, stack)
        await bring_up_to_date(database_url)
    print("The schema is up to date.")


@app.command()
def policy(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Bring the data map in PRIVACY.md up to date.")
    ] = False,
) -> None:
    """Print every clause of PRIVACY.md with its proofs and the verdict; exit code 1 when one is unproved or stale.

    The verdict says that a proof is declared for the sentence as it stands. That it passes, and fails once its rule
    is switched off, is what `./pico test` shows.
    """
    document = ROOT / "PRIVACY.md"
    markdown = document.read_text(encoding="utf-8")
    if write:
        document.write_text(with_data_map(markdown, INVENTORY), encoding="utf-8")
        return
    modules = sorted((ROOT / "tests" / "contract" / "proofs").glob("test_*.py"))
    proofs = [
        proof for module in modules for proof in proofs_in(module.read_text(encoding="utf-8"), module.name)
    ]
    statuses = judge(parse(markdown), proofs)
    if as_json:
        print(json.dumps([_as_json(status) for status in statuses], indent=2))
    else:
        table = Table("clause", "sentence", "proofs", "verdict", show_lines=True)
        for status in statuses:
            tests = "\n".join(proof.test for proof in status.proofs)
            table.add_row(
                status.clause.id, status.clause.text, tests or status.clause.pending, status.verdict
            )
        Console().print(table)
    broken = {Verdict.UNPROVED, Verdict.STALE} & {status.verdict for status in statuses}
    raise typer.Exit(1 if broken else 0)


def _as_json(status: ClauseStatus) -> dict[str, object]:
    return {
        "clause": status.clause.id,
        "sentence": status.clause.text,
        "verdict": status.verdict.value,
        "pending": status.clause.pending or None,
        "proofs": [{"test": proof.test, "saboteur": proof.saboteur} for proof in status.proofs],
    }


def main() -> None:
    """Run a command; what an operator can mend is one line on standard error and exit code 2."""
    configure_logs()
    try:
        app(prog_name="./pico")
    except KeyboardInterrupt:
        sys.exit(130)
    except (BadSettings, CannotListen, PostgresUnavailable) as error:
        print(f"pico: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
