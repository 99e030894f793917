"""How a policy and its proofs are read and judged: wrapped clauses, hashes, stale proofs, and the data map."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent
from typing import Annotated, ClassVar

import pytest

from application.inventory import Stored
from bootstrap.data_map import with_data_map
from bootstrap.policy import (
    Clause,
    Declaration,
    PolicyError,
    Proof,
    Verdict,
    faults,
    judge,
    parse,
    proofs_in,
    text_hash,
)
from domain.classification import IndexScope, held
from domain.kernel import AccountId, Aggregate
from domain.values import Email, PasswordHash


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
