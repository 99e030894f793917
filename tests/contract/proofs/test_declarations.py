"""The policy about itself: no sentence without proof, and no proof that cannot fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bootstrap.policy import Clause, PolicyError, Proof, declared_proofs, faults, parse
from tests.contract.architecture.test_policy import POLICY, ROOT
from tests.support import proofs
from tests.support.proofs import proves, refused

DECLARED = declared_proofs(ROOT / "tests" / "contract" / "proofs")


@dataclass(frozen=True)
class Build:
    """What the build asks of the policy: its reader, what it finds wrong, and what it takes for a failed proof."""

    parse: Callable[[str], tuple[Clause, ...]] = parse
    faults: Callable[[Sequence[Clause], Sequence[Proof]], Sequence[str]] = faults
    sabotage: type[proofs.Sabotage] = proofs.Sabotage


@pytest.fixture
def build() -> Build:
    return Build()


def overlooks(words: str, build: Build) -> Build:
    def tolerant(clauses: Sequence[Clause], declared: Sequence[Proof]) -> Sequence[str]:
        return [fault for fault in faults(clauses, declared) if words not in fault]

    return replace(build, faults=tolerant)


def asks_for_no_proof(build: Build) -> Build:
    return overlooks("has no proof", build)


def forgets_wordings(build: Build) -> Build:
    return overlooks("changed since", build)


def reads_over_sentences(build: Build) -> Build:
    def clauses_of(markdown: str) -> tuple[Clause, ...]:
        kept = [line for line in markdown.splitlines() if line.startswith(("- **", "  ", "<!--", "|", "#"))]
        return parse("\n".join(kept))

    return replace(build, parse=clauses_of)


def believes_without_evidence(build: Build) -> Build:
    return replace(
        build, parse=lambda markdown: parse(markdown.replace("A contract.", "A contract. Kept: so."))
    )


def believes_every_failure(build: Build) -> Build:
    class Believing(proofs.Sabotage):
        def must_fail(self, proof: str) -> Any:
            return pytest.raises(proofs.FAILURES)

    return replace(build, sabotage=Believing)


def inert(_: object) -> None:
    """Break nothing."""


def failing_first(_: object) -> None:
    """Break something else."""
    raise AssertionError("it was not set up")


@proves("H1", text="0c5adb4da934", saboteur=asks_for_no_proof, says="a sentence without proof passed")
@proves("H1", text="0c5adb4da934", saboteur=forgets_wordings, says="a sentence was changed under its proof")
@proves("H1", text="0c5adb4da934", saboteur=reads_over_sentences, says="a sentence without id passed")
@proves(
    "H1",
    text="0c5adb4da934",
    saboteur=believes_without_evidence,
    says="a declaration without evidence passed",
)
@proves("H1", text="0c5adb4da934", saboteur=believes_every_failure, says="a proof failed of something else")
def test_every_sentence_is_proved_or_listed_and_every_proof_can_fail(build: Build) -> None:
    clauses = build.parse(POLICY)
    assert not build.faults(clauses, DECLARED)
    for clause in clauses:
        others = [proof for proof in DECLARED if proof.clause != clause.id]
        said = build.faults(clauses, others)
        excused = clause.pending or clause.declared
        assert excused or any(clause.id in fault for fault in said), "a sentence without proof passed"
        changed = [replace(one, text=f"{one.text} Not.") if one is clause else one for one in clauses]
        assert excused or build.faults(changed, DECLARED), "a sentence was changed under its proof"
    with refused(PolicyError, "a sentence without id passed"):
        build.parse(f"{POLICY}\nWe also keep this.\n")
    with refused(PolicyError, "a declaration without evidence passed"):
        build.parse("- **X9** It is agreed.\n<!-- declared -->\n- **X9** A contract.\n<!-- end -->\n")
    for saboteur in (inert, failing_first):
        sabotage = build.sabotage("H1", saboteur, "the rule is broken")
        with (
            refused(pytest.fail.Exception, "a proof failed of something else"),
            sabotage.must_fail("a proof"),
        ):
            saboteur(None)
