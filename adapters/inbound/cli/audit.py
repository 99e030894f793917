"""The commands about the audit log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from adapters.inbound.cli.options import AsJson, Options, StateDir, said
from application.audit_log import AuditReport, Point
from domain.audit import AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditCommands:
    """What the commands do."""

    verify: Callable[[Mapping[int, Point], Options], AuditReport]
    """Checks every chain, and that each still passes the points of an earlier report."""
    operators_acts: Callable[[Options], Sequence[AuditEntry]]
    """Answers what operators did that is about no account, the newest first."""


def add_audit_commands(app: typer.Typer, commands: AuditCommands) -> None:
    """Add them to the program."""
    audit = typer.Typer(no_args_is_help=True, help="The audit log.")
    app.add_typer(audit, name="audit")

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
        report = commands.verify(_points(against), said(state_dir=state_dir))
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

    @audit.command()
    def operators(*, as_json: AsJson = False, state_dir: StateDir = None) -> None:
        """Show what operators did last that is about no account. What they did to one, that account's log shows."""
        acts = commands.operators_acts(said(state_dir=state_dir))
        if as_json:
            shown = [{"occurred_at": one.at.isoformat(), "act": str(one.kind)} for one in acts]
            typer.echo(json.dumps(shown, indent=2))
        else:
            for one in acts:
                typer.echo(f"{one.at:%Y-%m-%d %H:%M:%S}  {one.kind}")


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
