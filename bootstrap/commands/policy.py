"""What the command about the policy does."""

# ruff: noqa: PLC0415 - the heavy half is imported when a command needs it

from __future__ import annotations

from collections.abc import Sequence

from adapters.inbound.cli.policy import ClauseReport, PolicyCommands
from bootstrap.policy import POLICY, PROOFS, Verdict, declared_proofs, judge, parse
from bootstrap.settings import ROOT


def clauses(run: bool) -> Sequence[ClauseReport]:  # noqa: FBT001 - the one answer that the command line passes on
    """Judge every clause of the policy by the proofs that the tests declare, and if asked to by running them.

    Raises PolicyError, and OSError when they cannot be run.
    """
    from bootstrap.proof_run import run_proofs, seen_of

    statuses = judge(parse(POLICY.read_text(encoding="utf-8")), declared_proofs(PROOFS))
    ran = run_proofs(ROOT, PROOFS) if run else {}
    reports = []
    for status in statuses:
        seen = seen_of(status.clause.id, status.proofs, ran) if run and status.proofs else None
        declared = status.clause.declared
        reports.append(
            ClauseReport(
                clause=status.clause.id,
                sentence=status.clause.text,
                verdict=status.verdict.value,
                pending=status.clause.pending,
                declared=declared.reason if declared else "",
                evidence=declared.evidence if declared else "",
                proofs=tuple((proof.test, proof.saboteur, proof.says) for proof in status.proofs),
                seen=str(seen or ""),
                broken=status.verdict in {Verdict.UNPROVED, Verdict.STALE}
                or (seen is not None and not seen.holds),
            )
        )
    return reports


def untranslated() -> Sequence[str]:
    """Return what the policy's translation lacks, or has too much. Raises PolicyError."""
    from bootstrap.publication import headings
    from bootstrap.translation import HEBREW, lacking, read_translation

    markdown = POLICY.read_text(encoding="utf-8")
    return lacking(parse(markdown), headings(markdown), read_translation(HEBREW.read_text(encoding="utf-8")))


def write_data_map() -> None:
    """Write the data map in PRIVACY.md anew, and RECORDS.md. Raises PolicyError when there is no place for one."""
    from application.inventory import INVENTORY
    from bootstrap.data_map import with_data_map
    from bootstrap.records import RECORDS, records_of_processing

    markdown = with_data_map(POLICY.read_text(encoding="utf-8"), INVENTORY)
    POLICY.write_text(markdown, encoding="utf-8")
    RECORDS.write_text(records_of_processing(markdown, INVENTORY), encoding="utf-8")


POLICY_COMMANDS = PolicyCommands(clauses=clauses, untranslated=untranslated, write_data_map=write_data_map)
