"""The commands of those who run Pico: what each takes, what it prints, and what its exit code means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from application.audit_log import AuditReport, Point

Options = Mapping[str, str]
"""What was said in the place of variables, by a setting's name."""

AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]
StateDir = Annotated[
    str | None, typer.Option(help="Where the Sandbox keeps everything, instead of PICO_STATE_DIR.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCommands:
    """What the commands do. Each opens the product beside whatever serves it, and closes it again."""

    verify_audit_log: Callable[[Mapping[int, Point], Options], AuditReport]
    """Checks every chain, and that each still passes the points of an earlier report."""


def add_operator_commands(app: typer.Typer, commands: OperatorCommands) -> None:
    """Add them to the program."""
    app.add_typer(_audit(commands), name="audit")


def said(**options: str | None) -> Options:
    """Return the options that were said."""
    return {name: value for name, value in options.items() if value is not None}


def _audit(commands: OperatorCommands) -> typer.Typer:
    audit = typer.Typer(no_args_is_help=True, help="The audit log.")

    @audit.callback()
    def of_the_log() -> None:
        """Say that there is more than one thing to be done with it."""

    @audit.command()
    def verify(
        *,
        as_json: AsJson = False,
        against: Annotated[
            Path | None,
            typer.Option(help="What --json printed earlier: a log that was cut back since is found, too."),
        ] = None,
        state_dir: StateDir = None,
    ) -> None:
        """Check every entry, every hash and every signature; exit code 1 when something is wrong.

        One entry that was changed, dropped, swapped, added or cut off is found. Keep what --json prints outside of the
        database: it is what tells when somebody cuts off entries together with their signatures.
        """
        report = commands.verify_audit_log(_points(against), said(state_dir=state_dir))
        if as_json:
            typer.echo(json.dumps(_report(report), indent=2))
        else:
            typer.echo(
                f"{report.entries} entries in {len(report.heads)} chains, {report.unchained} to be chained."
            )
            for finding in report.findings:
                typer.echo(f"chain {finding.chain}, place {finding.position}: {finding.flaw}")
            typer.echo(
                "Something is wrong with the audit log." if report.findings else "Nothing is wrong with it."
            )
        raise typer.Exit(1 if report.findings else 0)

    return audit


def _report(report: AuditReport) -> dict[str, object]:
    return {
        "sound": not report.findings,
        "entries": report.entries,
        "unchained": report.unchained,
        "heads": {str(chain): {"length": n, "hash": end.hex()} for chain, (n, end) in report.heads.items()},
        "findings": [
            {"chain": one.chain, "position": one.position, "flaw": str(one.flaw)} for one in report.findings
        ],
    }


def _points(file: Path | None) -> dict[int, Point]:
    """Read the heads of an earlier report. Raises BadParameter for a file that is none."""
    if file is None:
        return {}
    try:
        heads = json.loads(file.read_bytes())["heads"]
        return {int(chain): (int(at["length"]), bytes.fromhex(at["hash"])) for chain, at in heads.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        problem = f"{file} is no report of `pico audit verify --json`."
    raise typer.BadParameter(problem)
