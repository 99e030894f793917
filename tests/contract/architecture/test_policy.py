"""The policy itself: every sentence is a clause, and every clause is proved, pending or declared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from application.inventory import INVENTORY
from bootstrap.data_map import with_data_map
from bootstrap.policy import (
    APPLE,
    GOOGLE,
    IF_CONFIGURED,
    TELNYX,
    WAKING,
    declared_proofs,
    faults,
    parse,
    shown,
)

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
