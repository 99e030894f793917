"""The policy itself: every sentence is a clause, every clause proved or pending, every proof able to fail."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Annotated, ClassVar

import pytest

from application.inventory import INVENTORY, Stored
from bootstrap.data_map import with_data_map
from bootstrap.policy import (
    APPLE,
    GOOGLE,
    IF_CONFIGURED,
    TELNYX,
    WAKING,
    Clause,
    Declaration,
    PolicyError,
    Proof,
    Verdict,
    declared_proofs,
    faults,
    judge,
    parse,
    proofs_in,
    shown,
    text_hash,
)
from bootstrap.proof_run import Seen, outcomes, seen_of
from domain.classification import IndexScope, held
from domain.kernel import AccountId, Aggregate
from domain.values import Email, PasswordHash

ROOT = Path(__file__).parents[3]
POLICY = (ROOT / "PRIVACY.md").read_text(encoding="utf-8")

WAITING = ""
"""The clauses that may be pending. Take ids off, here and in PRIVACY.md; never put one on."""
DECLARED = "A1 L1 L2 L4 L5 R6 R7 O1 S3 X1 X2 X3 H92 H96 Q1 H7 H21"
"""What only a contract, a provider or a person can keep, which a policy must say all the same."""

# What the policy consists of: a clause may be reworded, never dropped.
REQUIRED = {"C": 14, "N": 5, "R": 5, "T": 7, "S": 5, "X": 2, "Q": 2}


def test_every_clause_is_proved_or_pending_and_no_sentence_changed_under_its_proof() -> None:
    assert faults(parse(POLICY), declared_proofs(ROOT / "tests" / "contract" / "proofs")) == ()


def test_the_pending_list_only_shrinks() -> None:
    pending = {clause.id for clause in parse(POLICY) if clause.pending}
    assert pending - set(WAITING.split()) == set(), "a clause is proved when it is written, not later"
    assert set(WAITING.split()) - pending == set(), (
        "proved: take it off here too, so that it cannot come back"
    )


def test_nothing_is_declared_that_a_test_could_prove() -> None:
    declared = {clause.id for clause in parse(POLICY) if clause.declared}
    assert declared == set(DECLARED.split()), "what a test can prove is proved: a declaration is for the rest"


def test_no_clause_of_the_policy_is_missing() -> None:
    ids = {clause.id for clause in parse(POLICY)}
    assert {f"{letter}{n}" for letter, count in REQUIRED.items() for n in range(1, count + 1)} <= ids


def test_a_clause_is_one_sentence_or_a_pair() -> None:
    long = [clause.id for clause in parse(POLICY) if len(re.findall(r"[.!?](?=\s|$)", clause.text)) > 2]
    assert long == []


def test_who_wakes_devices_is_named_where_somebody_does() -> None:
    elsewhere = shown(POLICY, IF_CONFIGURED - {WAKING})
    assert "## Where devices are woken\n" in POLICY
    left_out = {clause.id for clause in parse(POLICY)} - set(re.findall(r"- \*\*(\w+)\*\*", elsewhere))
    assert left_out == {"S7"}
    assert "\n\n## Where Telnyx carries lines, too\n" in elsewhere
    assert "\n\n\n" not in elsewhere


def test_what_holds_where_telnyx_is_configured_is_shown_there_only() -> None:
    everywhere = shown(POLICY, IF_CONFIGURED - {TELNYX})
    assert shown(POLICY, IF_CONFIGURED) == POLICY
    assert "## Where Telnyx carries lines, too\n" in POLICY
    left_out = {clause.id for clause in parse(POLICY)} - set(re.findall(r"- \*\*(\w+)\*\*", everywhere))
    assert left_out == {"S6", "H90", "H91", "H93", "H94"}
    assert (
        len(re.findall("^## ", everywhere, re.MULTILINE)) == len(re.findall("^## ", POLICY, re.MULTILINE)) - 1
    )
    assert "\n\n## Where it goes\n" in everywhere


@pytest.mark.parametrize(("store", "clauses"), [(APPLE, {"S8", "H104"}), (GOOGLE, {"S9", "H105"})])
def test_what_holds_where_an_app_store_sells_is_shown_there_only(store: str, clauses: set[str]) -> None:
    elsewhere = shown(POLICY, IF_CONFIGURED - {store})
    left_out = {clause.id for clause in parse(POLICY)} - set(re.findall(r"- \*\*(\w+)\*\*", elsewhere))
    assert left_out == clauses


def test_the_data_map_is_the_inventory() -> None:
    assert with_data_map(POLICY, INVENTORY) == POLICY, "write it anew: pico policy --write"


# ------------------------------------------------------------------------------------- reading the policy


def test_reads_wrapped_clauses_and_reasons_for_waiting() -> None:
    text = dedent("""\
        # Title

        - **C1** A sentence over
          two lines.
        - **C2** Another.
        - **C3** One more.
        <!-- declared -->
        - **C3** A contract. Kept: the signed
          clauses.
        <!-- end -->
        <!-- pending -->
        - **C2** Not built yet.
        <!-- end -->
    """)
    assert parse(text) == (
        Clause("C1", "A sentence over two lines."),
        Clause("C2", "Another.", pending="Not built yet."),
        Clause("C3", "One more.", declared=Declaration("A contract.", "the signed clauses.")),
    )


@pytest.mark.parametrize(
    "text",
    [
        "We also promise this.",
        "- We also promise this.",
        "- **C1** One.\n\n  We also promise this.",
        "> We also promise this.",
        "<!-- hidden -->",
        "- **C1** One.\n- **C1** One again.",
        "<!-- pending -->\n- **C1** Why.\n<!-- end -->",
        "<!-- declared -->\n- **C1** Why. Kept: a letter.\n<!-- end -->",
        "- **C1** One.\n<!-- declared -->\n- **C1** Why.\n<!-- end -->",
        "- **C1** A.\n<!-- declared -->\n- **C1** B. Kept: c\n<!-- end -->\n<!-- pending -->\n- **C1** D\n<!-- end -->",
        "- **C1** One.\n<!-- pending -->\n- **C1** Why.",
    ],
)
def test_refuses_a_promise_outside_a_clause(text: str) -> None:
    with pytest.raises(PolicyError):
        parse(text)


def test_the_hash_follows_the_words_and_not_the_wrapping() -> None:
    assert text_hash(Clause("C1", "One  two\nthree.")) == text_hash(Clause("C2", "One two three."))
    assert text_hash(Clause("C1", "One two three.")) != text_hash(Clause("C1", "One two four."))


# ------------------------------------------------------------------------------------------- judging proofs

KEPT = Clause("T9", "It is kept.")
LATER = Clause("T8", "It waits.", pending="Not built yet.")
SAID = Clause("T7", "It is agreed.", declared=Declaration("A contract.", "the signed clauses."))
PROOF = Proof("T9", text_hash(KEPT), "test_kept", "forgets")


@pytest.mark.parametrize(
    ("clause", "proofs", "verdict", "complaint"),
    [
        (KEPT, [PROOF], Verdict.PROVED, None),
        (LATER, [], Verdict.PENDING, None),
        (KEPT, [], Verdict.UNPROVED, "T9 has no proof"),
        (SAID, [], Verdict.DECLARED, None),
        (SAID, [Proof("T7", text_hash(SAID), "test_ours", "x")], Verdict.DECLARED, None),
        (SAID, [Proof("T7", "older", "test_ours", "x")], Verdict.STALE, "T7 changed since test_ours"),
        (Clause("T9", "It is sold."), [PROOF], Verdict.STALE, "T9 changed since"),
        (LATER, [Proof("T8", text_hash(LATER), "test_early", "x")], Verdict.PENDING, "T8 is proved: take"),
        (KEPT, [PROOF, Proof("T7", "", "test_lost", "x")], Verdict.PROVED, "T7, which is no clause"),
        (KEPT, [PROOF, Proof("T9", "older", "test_old", "x")], Verdict.STALE, "test_old was written"),
    ],
)
def test_judges(clause: Clause, proofs: list[Proof], verdict: Verdict, complaint: str | None) -> None:
    assert [status.verdict for status in judge([clause], proofs)] == [verdict]
    found = "; ".join(faults([clause], proofs))
    assert found == "" if complaint is None else complaint in found


def test_reads_proofs_from_source() -> None:
    source = dedent("""
        @proves("T2", text="aaaaaaaaaaaa", saboteur=forgets, says="gone")
        @policy.proves("R2", text="bbbbbbbbbbbb", saboteur=lingers, says="there")
        async def test_leaving(world): ...

        def test_other(): ...
    """)
    assert proofs_in(source, "p.py") == (
        Proof("T2", "aaaaaaaaaaaa", "p.py::test_leaving", "forgets", "gone"),
        Proof("R2", "bbbbbbbbbbbb", "p.py::test_leaving", "lingers", "there"),
    )


@pytest.mark.parametrize(
    "source",
    [
        '@proves("T2", text="a", saboteur=x, says="b")\ndef check(world): ...',
        '@pytest.mark.skip\n@proves("T2", text="a", saboteur=x, says="b")\ndef test_it(world): ...',
        '@pytest.mark.xfail(reason="later")\n@proves("T2", text="a", saboteur=x, says="b")\ndef test_it(world): ...',
        '@proves(CLAUSE, text="a", saboteur=x, says="b")\ndef test_it(world): ...',
        '@proves("T2", text=text_hash(clause), saboteur=x, says="b")\ndef test_it(world): ...',
        '@proves("T2", text="a", says="b")\ndef test_it(world): ...',
        '@proves("T2", text="a", saboteur=x)\ndef test_it(world): ...',
    ],
)
def test_refuses_a_proof_that_never_runs_or_cannot_be_read(source: str) -> None:
    with pytest.raises(PolicyError):
        proofs_in(source, "p.py")


# -------------------------------------------------------------------------------------------- the harness

PROOFS = """
    import pytest
    from tests.support.proofs import proves, refused

    def forgets(keep):
        return lambda days: False

    def changes_nothing(keep):
        return keep

    def crashes(keep):
        def crash(days):
            raise RuntimeError
        return crash

    @pytest.fixture
    def keep():
        return lambda days: days <= 30

    @proves("T2", text="", saboteur=forgets, says="forgotten")
    def test_sound(keep):
        assert keep(30), "forgotten"

    @proves("T2", text="", saboteur=forgets, says="forgotten")
    async def test_sound_and_async(keep):
        assert keep(30), "forgotten"

    @proves("T2", text="", saboteur=forgets, says="forgotten")
    @proves("T3", text="", saboteur=changes_nothing, says="forgotten")
    def test_half_sound(keep):
        assert keep(30), "forgotten"

    @proves("T2", text="", saboteur=forgets, says="forgotten")
    def test_says_nothing(keep):
        keep(30)

    @proves("T2", text="", saboteur=crashes, says="forgotten")
    def test_saboteur_only_crashes(keep):
        assert keep(30), "forgotten"

    @proves("T2", text="", saboteur=forgets, says="forgotten")
    def test_fails_before_it_comes_to_the_rule(keep):
        assert keep(29), "set up"
        assert keep(30), "forgotten"

    @proves("T2", text="", saboteur=forgets, says="forgotten")
    def test_rule_is_broken(keep):
        assert keep(31), "forgotten"

    @proves("T2", text="", saboteur=crashes, says="forgotten")
    def test_nothing_raised(keep):
        with refused(RuntimeError, "forgotten"):
            keep(30)

    @proves("T2", text="", saboteur=forgets, says="forgotten")
    def test_refusal(keep):
        with refused(TypeError, "forgotten"):
            keep("thirty")
"""


def test_the_build_fails_on_proofs_that_cannot_fail(tmp_path: Path) -> None:
    (tmp_path / "test_proofs.py").write_text(dedent(PROOFS), encoding="utf-8")
    options = ["-p", "no:cacheprovider", "-c", "pyproject.toml", "-rA", "--color=no"]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = re.findall(r"^(PASSED|FAILED|ERROR) \S*::(\S+)", run.stdout, re.MULTILINE)
    assert sorted(name for outcome, name in lines if outcome == "FAILED") == [
        "test_fails_before_it_comes_to_the_rule[T2-forgets]",
        "test_half_sound[T3-changes_nothing]",
        "test_nothing_raised[T2-crashes]",
        "test_nothing_raised[honest]",
        "test_rule_is_broken[honest]",
        "test_saboteur_only_crashes[T2-crashes]",
        "test_says_nothing[T2-forgets]",
    ]
    assert run.returncode == 1
    assert "test_says_nothing cannot fail" in run.stdout
    assert "comes_to_the_rule fails of something else with T2 off, thanks to forgets: 'set up'" in run.stdout
    assert {name for outcome, name in lines if outcome == "PASSED"} >= {
        "test_sound[honest]",
        "test_sound[T2-forgets]",
        "test_sound_and_async[honest]",
        "test_sound_and_async[T2-forgets]",
        "test_half_sound[T2-forgets]",
        "test_refusal[honest]",
        "test_refusal[T2-forgets]",
    }


REPORT = """<testsuites><testsuite>
    <testcase classname="tests.contract.proofs.test_time" name="test_kept[memory-honest]"/>
    <testcase classname="tests.contract.proofs.test_time" name="test_kept[postgres-honest]"/>
    <testcase classname="tests.contract.proofs.test_time" name="test_kept[memory-T9-forgets]"/>
    <testcase classname="tests.contract.proofs.test_time" name="test_kept[postgres-T9-forgets]"><failure/></testcase>
    <testcase classname="tests.contract.proofs.test_time" name="test_kept[memory-T8-other]"/>
    <testcase classname="tests.contract.proofs.test_time" name="test_lost[honest]"><skipped/></testcase>
    <testcase classname="tests.contract.proofs.test_time" name="test_plain"><error/></testcase>
</testsuite></testsuites>"""


def test_counts_what_was_seen_of_a_clause_when_its_proofs_ran() -> None:
    ran = outcomes(REPORT)
    assert ran["test_time.py::test_plain"] == {"": False}
    kept = Proof("T9", "", "test_time.py::test_kept", "forgets")
    seen = seen_of("T9", [kept, kept], ran)
    assert (seen, seen.holds) == (Seen(2, 2, 2, 1), False)
    assert str(seen) == "2 of 2 pass, 1 of 2 sabotages fail where they must"
    assert seen_of("T8", [kept], ran).holds
    for unseen in ("test_time.py::test_lost", "test_time.py::test_nowhere"):
        assert not seen_of("T9", [Proof("T9", "", unseen, "forgets")], ran).holds


# ------------------------------------------------------------------------------------------- the data map


def test_writes_the_data_map_between_its_marks_and_nowhere_else() -> None:
    @dataclass(slots=True, kw_only=True)
    class Person(Aggregate):
        stored_as: ClassVar[str] = "accounts"
        clause: ClassVar[str] = "C1"

        id: AccountId
        email: Annotated[Email, held(index=IndexScope.SYSTEM)]
        password: Annotated[PasswordHash, held("C2", exported=False)]

    text = "# Map\n\n<!-- data map: generated -->\nold\n<!-- end -->\n\n- **C1** One.\n"
    written = with_data_map(text, [Stored(Person)])
    assert written.splitlines()[3:] == [
        "| record | field | held as | allowed by | in the export | at hard deletion |",
        "|---|---|---|---|---|---|",
        "| accounts | id | id | C1 | yes | row deleted |",
        "| accounts | email | sealed | C1 | yes | key destroyed, row deleted |",
        "| accounts | email, to find it | index | C1 | no | row deleted |",
        "| accounts | password | sealed | C2 | no | key destroyed, row deleted |",
        "<!-- end -->",
        "",
        "- **C1** One.",
    ]
    assert parse(written) == (Clause("C1", "One."),)


def test_a_policy_without_place_for_a_data_map_is_refused() -> None:
    with pytest.raises(PolicyError):
        with_data_map("# Map\n", ())
