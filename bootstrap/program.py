"""The program: the command line, and what is said of an error that nobody caught."""

from __future__ import annotations

import sys

import typer

from adapters.error_report import report
from adapters.inbound.cli import command_line
from adapters.inbound.http.listening import CannotListen
from bootstrap.backups import BackupFailed
from bootstrap.commands import COMMANDS
from bootstrap.logs import configure_logs, report_what_python_would_print
from bootstrap.operating import CannotOpen
from bootstrap.postgres_server import PostgresUnavailable
from bootstrap.private_memory import keep_private
from bootstrap.settings import BadSettings
from bootstrap.tour_failed import TourFailed
from domain.kernel import PicoError

app = command_line(COMMANDS)
UNFORESEEN = 70


def main() -> None:
    """Run a command; what an operator can mend is one line on standard error and exit code 2.

    What nobody foresaw is reported, without a traceback: its last line would be the error's message. Exit code 70.
    """
    keep_private()
    configure_logs()
    report_what_python_would_print()
    try:
        app(prog_name="./pico")
    except KeyboardInterrupt:
        sys.exit(130)
    except PicoError as error:
        typer.echo(f"pico: {type(error).__doc__}", err=True)
        sys.exit(1)
    except TourFailed as error:
        typer.echo(f"pico: {error}", err=True)
        sys.exit(1)
    except (BadSettings, BackupFailed, CannotListen, CannotOpen, PostgresUnavailable) as error:
        typer.echo(f"pico: {error}", err=True)
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - the last line of defence
        report(error, "uncaught")
        sys.exit(UNFORESEEN)
