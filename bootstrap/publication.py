"""The policy as it is published: put together from `PRIVACY.md`, its translation, and the proofs that tests declare."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import cache

from adapters.inbound.http.policy_text import ShownClause, ShownPolicy, ShownProof, ShownSection, State, Words
from application.inventory import INVENTORY
from bootstrap.data_map import data_map
from bootstrap.policy import (
    DATA_MAP,
    DECLARED,
    PENDING,
    POLICY,
    PROOFS,
    ClauseStatus,
    PolicyError,
    Verdict,
    bullets,
    declared_proofs,
    judge,
    parse,
    shown,
)
from bootstrap.translation import HEBREW, Translation, read_translation

IN_FORCE = re.compile(r"This is version (\d+) of the policy, of (\d+ \w+ \d{4});")
"""How clause A2 says which version this is, and of when."""
STATES: Mapping[Verdict, State] = {
    Verdict.PROVED: "proved", Verdict.DECLARED: "declared", Verdict.PENDING: "pending",
    Verdict.STALE: "unproved", Verdict.UNPROVED: "unproved",
}  # fmt: skip


def published(named: frozenset[str]) -> Callable[[], ShownPolicy]:
    """Return what reads the policy as `shown` shows it: files are read the first time, and never again."""

    @cache
    def read() -> ShownPolicy:
        markdown = POLICY.read_text(encoding="utf-8")
        translation = read_translation(HEBREW.read_text(encoding="utf-8"))
        statuses = judge(parse(markdown), declared_proofs(PROOFS))
        return publish(shown(markdown, named), statuses, translation)

    return read


def publish(markdown: str, statuses: Iterable[ClauseStatus], translation: Translation) -> ShownPolicy:
    """Put a policy's sections together, each clause with where it stands. Raises PolicyError where A2 has no date."""
    in_force = IN_FORCE.search(" ".join(markdown.split()))
    if in_force is None:
        raise PolicyError("A2 does not say which version this is, and of when")
    by_id = {status.clause.id: status for status in statuses}
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in data_map(INVENTORY).splitlines()
    ]
    return ShownPolicy(
        version=int(in_force[1]),
        updated=_day(in_force[2]),
        title=_words(markdown.partition("\n")[0].removeprefix("# "), translation.title),
        sections=[
            ShownSection(
                anchor(heading) if heading else "",
                _words(heading, translation.headings.get(heading)),
                [_clause(by_id[name], translation) for name in names],
            )
            for heading, names in sections(markdown).items()
            if names
        ],
        data_map=rows[2:],
    )


def sections(markdown: str) -> Mapping[str, list[str]]:
    """Return the ids of clauses by the heading they stand under; what stands before the first one is under ""."""
    found: dict[str, list[str]] = {}
    lines = markdown.splitlines()
    for block, number, name, _ in bullets(markdown):
        if block not in {PENDING, DECLARED, DATA_MAP}:
            above = (line for line in reversed(lines[: number - 1]) if line.startswith("## "))
            found.setdefault(next(above, "").removeprefix("## "), []).append(name)
    return found


def headings(markdown: str) -> list[str]:
    """Return the policy's headings, below its title."""
    return re.findall(r"^## (.+)$", markdown, re.MULTILINE)


def anchor(heading: str) -> str:
    """Return a heading's name in an address, as Markdown's readers make it."""
    return re.sub(r"[^a-z0-9]+", "-", heading.lower().replace("'", "")).strip("-")


def _day(said: str) -> date:
    return datetime.strptime(f"{said} +0000", "%d %B %Y %z").date()


def _clause(status: ClauseStatus, translation: Translation) -> ShownClause:
    clause = status.clause
    translated = translation.reason(clause)
    reason, evidence = translated or (None, None)
    declared = clause.declared
    return ShownClause(
        id=clause.id,
        sentence=_words(clause.text, translation.sentence(clause)),
        state=STATES[status.verdict],
        reason=_words(declared.reason if declared else clause.pending, reason),
        evidence=_words(declared.evidence if declared else "", evidence),
        proofs=[ShownProof(proof.test, proof.saboteur, proof.says) for proof in status.proofs],
    )


def _words(english: str, hebrew: str | None) -> Words:
    if not english:
        return {}
    return {"en": english, "he": hebrew} if hebrew else {"en": english}
