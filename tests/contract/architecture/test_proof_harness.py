"""The harness of proofs: the build fails on one that cannot fail, and what was seen of a clause is counted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from bootstrap.policy import Proof
from bootstrap.proof_run import Seen, outcomes, seen_of
from tests.contract.architecture.test_policy import ROOT

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
