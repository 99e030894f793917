"""The command about the privacy policy: what holds each clause, and what is made from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from adapters.inbound.cli.options import AsJson


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseReport:
    """A clause of the privacy policy and what holds it: proofs as test, saboteur, and what the test says then."""

    clause: str
    sentence: str
    verdict: str
    pending: str
    declared: str
    """Why no test can show it, where it is declared."""
    evidence: str
    """What is kept to show it, where it is declared."""
    proofs: tuple[tuple[str, str, str], ...]
    seen: str
    """What came of running them; empty when they were not run."""
    broken: bool
    """Unproved, proved for another wording, or found not to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCommands:
    """What the command does."""

    clauses: Callable[[bool], Sequence[ClauseReport]]
    """Judges the policy by what is declared, and runs the proofs too if the argument says so."""
    untranslated: Callable[[], Sequence[str]]
    """Answers what the policy's translation lacks, line by line as it is to be written."""
    write_data_map: Callable[[], None]


def add_policy_command(app: typer.Typer, commands: PolicyCommands) -> None:
    """Add the command about the policy."""

    @app.command()
    def policy(
        *,
        as_json: AsJson = False,
        write: Annotated[
            bool,
            typer.Option("--write", help="Bring RECORDS.md, and the data map in PRIVACY.md, up to date."),
        ] = False,
        run: Annotated[
            bool, typer.Option("--run", help="Run the proofs, honest and sabotaged, and print what was seen.")
        ] = False,
        untranslated: Annotated[
            bool, typer.Option("--untranslated", help="Print what PRIVACY.he.md lacks, as it has it.")
        ] = False,
    ) -> None:
        """Print every clause of PRIVACY.md with its proofs and verdict; exit code 1 when one is unproved or stale.

        The verdict says that a proof is declared for the sentence as it stands. That it passes, and fails once its
        rule is switched off, is what `--run` sees (some minutes; it needs the development tools).
        """
        if write:
            commands.write_data_map()
            return
        if untranslated:
            lines = commands.untranslated()
            typer.echo("\n".join(lines), nl=bool(lines))
            raise typer.Exit(1 if lines else 0)
        reports = commands.clauses(run)
        if as_json:
            typer.echo(json.dumps([_as_json(report) for report in reports], indent=2))
        else:
            Console().print(_table(reports, ran=run))
            if not run:
                Console().print(
                    "This is what the tests declare: nothing was run. `./pico policy --run` runs the proofs."
                )
        raise typer.Exit(1 if any(report.broken for report in reports) else 0)


def _as_json(report: ClauseReport) -> dict[str, object]:
    return {
        "clause": report.clause,
        "sentence": report.sentence,
        "verdict": report.verdict,
        "pending": report.pending or None,
        "declared": report.declared or None,
        "evidence": report.evidence or None,
        "proofs": [
            {"test": test, "saboteur": saboteur, "says": says} for test, saboteur, says in report.proofs
        ],
        "seen": report.seen or None,
    }


def _table(reports: Sequence[ClauseReport], *, ran: bool) -> Table:
    table = Table("clause", "sentence", "proofs", "verdict", *(["seen"] if ran else []), show_lines=True)
    for report in reports:
        tests = "\n".join(dict.fromkeys(test for test, _, _ in report.proofs))
        held = "" if not report.seen else "BROKEN: " if report.broken else "held: "
        seen = [held + report.seen] if ran else []
        kept = report.declared and f"{report.declared} Kept: {report.evidence}"
        shown_by = "\n".join(filter(None, (tests, report.pending, kept)))
        table.add_row(report.clause, report.sentence, shown_by, report.verdict, *seen)
    return table
