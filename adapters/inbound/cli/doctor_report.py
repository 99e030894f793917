"""What an operator reads of an examination: names, clauses and sentences, never anybody's value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.table import Table


class Outcome(StrEnum):
    """What came of a check."""

    KEPT = "kept"
    BROKEN = "broken"
    UNKNOWN = "cannot tell"
    ELSEWHERE = "production only"
    """The Sandbox has nothing of the kind: only Production can show it."""
    ABSENT = "not there"
    """Nothing of the kind is configured, so there is nothing to keep."""


COLOURS = {Outcome.KEPT: "green", Outcome.BROKEN: "bold red", Outcome.UNKNOWN: "yellow"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to. `says` is a sentence that holds, or what is wrong; names and codes only."""

    name: str
    clauses: tuple[str, ...]
    outcome: Outcome
    says: str


def table(findings: Sequence[Finding]) -> Table:
    """Return the examination as a table for people."""
    made = Table("check", "clauses", "", "what was seen")
    for each in findings:
        colour = COLOURS.get(each.outcome, "dim")
        made.add_row(each.name, ", ".join(each.clauses), f"[{colour}]{each.outcome}[/]", each.says)
    return made


def shown(findings: Sequence[Finding]) -> dict[str, object]:
    """Return the examination as JSON."""
    return {
        "keeps": exit_code(findings) == 0,
        "findings": [
            {
                "check": each.name,
                "clauses": list(each.clauses),
                "outcome": str(each.outcome),
                "says": each.says,
            }
            for each in findings
        ],
    }


def summary(findings: Sequence[Finding]) -> str:
    """Return one line: how many checks came to what."""
    counted = Counter(each.outcome for each in findings)
    return ", ".join(f"{counted[outcome]} {outcome}" for outcome in Outcome if counted[outcome]) + "."


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 0 where everything asked is kept, 1 where something is broken, 2 where something could not be told."""
    outcomes = {each.outcome for each in findings}
    if Outcome.BROKEN in outcomes:
        return 1
    return 2 if Outcome.UNKNOWN in outcomes else 0
