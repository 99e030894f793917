"""The policy in Hebrew: `PRIVACY.he.md`, each sentence with the hash of the English one that it was made for.

A clause is a bullet `- **T2** (<hash>) One sentence.`, a heading names the English one in a comment behind it. Between
`<!-- declared -->` and `<!-- end -->` stand the reasons of declared clauses. What was made for another wording is not
shown: people read English there until it is made anew, and the build fails until then.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bootstrap.policy import DECLARED, KEPT, POLICY, Clause, PolicyError, bullets, text_hash

HEBREW = POLICY.with_name("PRIVACY.he.md")
KEPT_IN_HEBREW = " נשמר: "
HEADING = re.compile(r"^## (?P<hebrew>.+) <!-- (?P<english>.+) -->$", re.MULTILINE)
TITLE = re.compile(r"^# (?P<title>.+)$", re.MULTILINE)
MADE_FOR = re.compile(r"\((?P<hash>[0-9a-f]{12})\) (?P<text>\S.*)")


@dataclass(frozen=True, slots=True)
class Translated:
    """What was made of a sentence, and the hash of the English one."""

    made_for: str
    text: str


@dataclass(frozen=True, slots=True)
class Translation:
    """A translation of the policy: its title, headings by the English one, sentences and reasons by clause."""

    title: str
    headings: Mapping[str, str]
    sentences: Mapping[str, Translated]
    reasons: Mapping[str, Translated]

    def sentence(self, clause: Clause) -> str | None:
        """Return the translation of a clause as it stands, None where there is none."""
        made = self.sentences.get(clause.id)
        return made.text if made is not None and made.made_for == text_hash(clause) else None

    def reason(self, clause: Clause) -> tuple[str, str] | None:
        """Return why a declared clause is not proved, and the evidence; None where that is not translated."""
        made = self.reasons.get(clause.id)
        if made is None or made.made_for != reason_hash(clause):
            return None
        reason, _, evidence = made.text.partition(KEPT_IN_HEBREW)
        return reason, evidence


def reason_hash(clause: Clause) -> str:
    """Return 12 hex digits of the SHA-256 of why a clause is declared, and of the evidence."""
    said = _reason(clause)
    return hashlib.sha256(said.encode()).hexdigest()[:12] if said else ""


def read_translation(markdown: str) -> Translation:
    """Read a translation. Raises PolicyError where a bullet does not say which wording it was made for."""
    found: dict[str, dict[str, Translated]] = {"": {}, DECLARED: {}}
    for block, number, name, text in bullets(markdown):
        match = MADE_FOR.fullmatch(text)
        if match is None or block not in found or name in found[block]:
            raise PolicyError(f"line {number} of the translation: not - **{name}** (<hash>) …, or twice")
        found[block][name] = Translated(match["hash"], match["text"])
    title = TITLE.search(markdown)
    headings = {match["english"]: match["hebrew"] for match in HEADING.finditer(markdown)}
    return Translation(title["title"] if title else "", headings, found[""], found[DECLARED])


def lacking(clauses: Iterable[Clause], headings: Iterable[str], translation: Translation) -> Sequence[str]:
    """Return, line by line as the translation has it, what is still to be translated, and what is no more."""
    clauses, headings = tuple(clauses), tuple(headings)
    lines = [f"## … <!-- {heading} -->" for heading in headings if heading not in translation.headings]
    lines += [
        f"- **{clause.id}** ({text_hash(clause)}) {clause.text}"
        for clause in clauses
        if translation.sentence(clause) is None
    ]
    declared = [clause for clause in clauses if clause.declared]
    lines += [
        f"- **{clause.id}** ({reason_hash(clause)}) {_reason(clause)} (under {DECLARED})"
        for clause in declared
        if not all(translation.reason(clause) or ("",))
    ]
    gone = translation.sentences.keys() - {clause.id for clause in clauses}
    unsaid = translation.reasons.keys() - {clause.id for clause in declared}
    lines += [f"- **{name}** is no clause any more: take it out" for name in sorted(gone)]
    lines += [f"- **{name}** is not declared any more: take its reason out" for name in sorted(unsaid)]
    former = translation.headings.keys() - set(headings)
    return (*lines, *(f"## {one} is no heading any more" for one in sorted(former)))


def _reason(clause: Clause) -> str:
    return f"{clause.declared.reason}{KEPT}{clause.declared.evidence}" if clause.declared else ""
