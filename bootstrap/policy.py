"""The privacy policy as data: its clauses, the proofs that hold them, and what the build makes of both.

`PRIVACY.md` is the only registry. A clause is a bullet `- **T2** One sentence.`; the same bullet between
`<!-- pending -->` and `<!-- end -->` says why that clause is not proved yet. Between `<!-- declared -->` and
`<!-- end -->` it says why no test can show all of the clause, and behind `Kept:` which evidence is kept instead.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

IN_CHECKOUT = Path(__file__).resolve().parent.parent / "PRIVACY.md"
POLICY = IN_CHECKOUT if IN_CHECKOUT.exists() else Path(__file__).resolve().with_name("PRIVACY.md")
"""The policy's file: a wheel carries it in this package."""

_TESTS = IN_CHECKOUT.with_name("tests") / "contract" / "proofs"
PROOFS = _TESTS if _TESTS.exists() else Path(__file__).resolve().with_name("proofs")
"""The folder of the proofs' source, to be read and not to be run: a wheel carries it in this package."""

PENDING = "<!-- pending -->"
DECLARED = "<!-- declared -->"
KEPT = " Kept: "
DATA_MAP = "<!-- data map: generated -->"
END = "<!-- end -->"
TELNYX = "## Where Telnyx carries lines, too"
WAKING = "## Where devices are woken"
APPLE = "## Where Apple's App Store sells plans, too"
GOOGLE = "## Where Google Play sells plans, too"
IF_CONFIGURED = frozenset({TELNYX, WAKING, APPLE, GOOGLE})
"""The headings of what holds only where somebody is configured."""
BULLET = re.compile(r"- \*\*(?P<id>[A-Z][1-9][0-9]*)\*\* (?P<text>\S.*)")
NEVER_RUNS = re.compile(r"\b(skip|skipif|xfail)\b")


class PolicyError(ValueError):
    """The policy, or a declared proof, cannot be read as written; the message says where."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What stands in for a proof where only a contract, a provider or a person can keep a clause."""

    reason: str
    """Why no test can show it, or not all of it."""
    evidence: str
    """What is kept to show it."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence of the policy. `pending` is the reason why no proof is asked for yet, or empty."""

    id: str
    text: str
    pending: str = ""
    declared: Declaration | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A test that declares `@proves`: the clause, the hash of its wording, and what switches the rule off.

    `says` is what the test says then: the message of the assertion that must fail.
    """

    clause: str
    text: str
    test: str
    saboteur: str
    says: str = ""


class Verdict(StrEnum):
    """Where a clause stands."""

    PROVED = "proved"
    """Held by at least one test, which the build runs honest (must pass) and sabotaged (must fail)."""
    DECLARED = "declared"
    """Only a contract, a provider or a person can keep it; proofs, if any, show the part of it that is ours."""
    PENDING = "pending"
    STALE = "stale text"
    """The sentence changed after a proof of it was written."""
    UNPROVED = "unproved"


@dataclass(frozen=True, slots=True)
class ClauseStatus:
    """A clause and the proofs that name it."""

    clause: Clause
    proofs: tuple[Proof, ...]

    @property
    def stale(self) -> tuple[Proof, ...]:
        """Return the proofs written for another wording."""
        return tuple(proof for proof in self.proofs if proof.text != text_hash(self.clause))

    @property
    def verdict(self) -> Verdict:
        """Return the verdict; a clause both pending and proved is pending until it is taken off the list."""
        if self.clause.pending:
            return Verdict.PENDING
        if self.stale:
            return Verdict.STALE
        if self.clause.declared:
            return Verdict.DECLARED
        return Verdict.PROVED if self.proofs else Verdict.UNPROVED


def shown(markdown: str, named: frozenset[str]) -> str:
    """Return the policy as people read it: of what holds only where somebody is configured, the headings in `named`."""
    for heading in IF_CONFIGURED - named:
        markdown = _without(markdown, heading)
    return markdown


def _without(markdown: str, heading: str) -> str:
    before, found, rest = markdown.partition(f"{heading}\n")
    if not found:
        return markdown
    _section, next_heading, after = rest.partition("\n## ")
    return before + next_heading.removeprefix("\n") + after


def text_hash(clause: Clause) -> str:
    """Return 12 hex digits of the sentence's SHA-256; how its lines are wrapped does not count."""
    return hashlib.sha256(" ".join(clause.text.split()).encode()).hexdigest()[:12]


def parse(markdown: str) -> tuple[Clause, ...]:
    """Read the clauses in their order.

    Raises PolicyError on a sentence without id, an id given twice, a pending or declared id that is no clause or is
    both, and a declaration without evidence: nothing may be promised outside a clause. Headings promise nothing, and
    the data map is generated.
    """
    blocks: dict[str, dict[str, str]] = {"": {}, PENDING: {}, DECLARED: {}}
    for block, number, name, text in bullets(markdown):
        if name in blocks[block]:
            raise PolicyError(f"line {number}: {name} stands here twice")
        blocks[block][name] = text
    clauses, pending, declared = blocks.values()
    if strangers := (pending.keys() | declared.keys()) - clauses.keys():
        raise PolicyError(f"pending or declared, but no clause: {' '.join(sorted(strangers))}")
    if both := pending.keys() & declared.keys():
        raise PolicyError(f"pending and declared: {' '.join(sorted(both))}")
    return tuple(
        Clause(
            name,
            text,
            pending.get(name, ""),
            _declaration(name, declared[name]) if name in declared else None,
        )
        for name, text in clauses.items()
    )


def _declaration(name: str, text: str) -> Declaration:
    reason, _, evidence = text.partition(KEPT)
    if not evidence:
        raise PolicyError(f"{name} is declared, and no evidence is kept: say which, behind{KEPT}")
    return Declaration(reason, evidence)


def bullets(markdown: str) -> Iterator[tuple[str, int, str, str]]:
    """Yield (block, line number, id, text) of every bullet, its lines joined."""
    block, bullet = "", None
    for number, line in enumerate([*markdown.splitlines(), ""], 1):
        if bullet and line.startswith("  ") and line.strip():
            bullet = (*bullet[:3], f"{bullet[3]} {line.strip()}")
            continue
        if bullet:
            yield bullet
            bullet = None
        if line in {PENDING, DECLARED, DATA_MAP, END}:
            block = "" if line == END else line
        elif block == DATA_MAP or not line.strip() or line.startswith("#"):
            continue
        elif found := BULLET.fullmatch(line):
            bullet = (block, number, found["id"], found["text"].strip())
        else:
            raise PolicyError(f"line {number}: every sentence of the policy is a clause with an id")
    if block:
        raise PolicyError(f"{block} is never closed by {END}")


def proofs_in(source: str, path: str) -> tuple[Proof, ...]:
    """Read the proofs a test module declares, without importing it: listing them needs no test tools.

    Only tests at module level count. Raises PolicyError on a proof that never runs, or that this cannot read.
    """
    return tuple(
        _proof(call, function, path)
        for function in ast.parse(source).body
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for call in function.decorator_list
        if isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] == "proves"
    )


def declared_proofs(folder: Path) -> tuple[Proof, ...]:
    """Read the proofs of every test module in a folder; a test is named `<module>::<function>`. Raises PolicyError."""
    return tuple(
        proof
        for module in sorted(folder.glob("test_*.py"))
        for proof in proofs_in(module.read_text(encoding="utf-8"), module.name)
    )


def _proof(call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef, path: str) -> Proof:
    test = f"{path}::{function.name}"
    decorators = " ".join(map(ast.unparse, function.decorator_list))
    if not function.name.startswith("test_") or NEVER_RUNS.search(decorators):
        raise PolicyError(f"{test} never runs: it proves nothing")
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    match call.args, named.get("text"), named.get("saboteur"), named.get("says"):
        case (
            [ast.Constant(value=str(clause))],
            ast.Constant(value=str(text)),
            ast.expr() as saboteur,
            ast.Constant(value=str(says)),
        ):
            return Proof(clause, text, test, ast.unparse(saboteur), says)
    raise PolicyError(
        f'{test} must say @proves("T2", text="<hash>", saboteur=…, says="<message>"), all but the saboteur as literals'
    )


def judge(clauses: Iterable[Clause], proofs: Iterable[Proof]) -> tuple[ClauseStatus, ...]:
    """Put each clause beside its proofs, in the policy's order."""
    proofs = tuple(proofs)
    return tuple(
        ClauseStatus(clause, tuple(p for p in proofs if p.clause == clause.id)) for clause in clauses
    )


def faults(clauses: Iterable[Clause], proofs: Iterable[Proof]) -> tuple[str, ...]:
    """Say everything that must fail the build, one sentence each, with what to do about it."""
    clauses, proofs = tuple(clauses), tuple(proofs)
    ids = {clause.id for clause in clauses}
    found = [f"{p.test} proves {p.clause}, which is no clause" for p in proofs if p.clause not in ids]
    for status in judge(clauses, proofs):
        clause, now = status.clause, text_hash(status.clause)
        if status.proofs and clause.pending:
            found.append(f"{clause.id} is proved: take it off the pending list")
        if not status.proofs and not clause.pending and not clause.declared:
            found.append(f'{clause.id} has no proof: @proves("{clause.id}", text="{now}", saboteur=…)')
        found += [
            f'{clause.id} changed since {p.test} was written: see that it still holds, then text="{now}"'
            for p in status.stale
        ]
    return tuple(found)
