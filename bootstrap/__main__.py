"""The program: `python -m bootstrap`, which `./pico` becomes."""

from __future__ import annotations

import logging
import sys

import structlog
import typer

from adapters.inbound.cli import command_line
from adapters.inbound.http.server import CannotListen
from bootstrap.backups import BackupFailed
from bootstrap.commands import COMMANDS
from bootstrap.operating import CannotOpen
from bootstrap.postgres_server import PostgresUnavailable
from bootstrap.private_memory import keep_private
from bootstrap.settings import BadSettings
from domain.kernel import PicoError

app = command_line(COMMANDS)


def configure_logs() -> None:
    """Write our own events to standard error, a line each; libraries' records quote what they see and go nowhere."""
    logging.getLogger().addHandler(logging.NullHandler())
    logging.disable(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def main() -> None:
    """Run a command; what an operator can mend is one line on standard error and exit code 2."""
    keep_private()
    configure_logs()
    try:
        app(prog_name="./pico")
    except KeyboardInterrupt:
        sys.exit(130)
    except PicoError as error:
        typer.echo(f"pico: {type(error).__doc__}", err=True)
        sys.exit(1)
    except (BadSettings, BackupFailed, CannotListen, CannotOpen, PostgresUnavailable) as error:
        typer.echo(f"pico: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
