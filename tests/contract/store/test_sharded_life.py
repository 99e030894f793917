"""Every statement that a whole life sends, recorded and held against the rules by which the schema shards."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from adapters.outbound.postgres import erasing
from bootstrap.tour import tour
from tests.contract.store.test_sharding import ACROSS_ACCOUNTS
from tests.support.sharding import clauses_of, joining_the_directory, locking_across, recorded, unplaced

pytestmark = pytest.mark.xdist_group("sandbox")

EVERY_NODE = {
    r"DELETE FROM directory WHERE directory\.account_id = \$1\S*( AND directory\.subject_id = .*)?":
        "keys are unlisted by their account: once for a line, a session, an account (docs/adr/0009)",
    r"SELECT \(SELECT count\(\*\) .*": "an erasure counts an account's rows, its keys in the directory too",
    r"SELECT accounts\.id\s+FROM accounts\s+WHERE accounts\.id = any\(\$1.*":
        "which of some accounts there are: those of a restored database, and of numbers that are compared",
    r"SELECT anon_1\.id\s+FROM .*accounts\.erase_at.*": "a plain read of accounts that are due",
    r"SELECT (\w+)\.(account_id|key)(, \1\.\w+)?\s+FROM \1\s+WHERE \1\.\w+ <= \$1.* LIMIT \$\d\S*":
        "a plain read of what is past its time, some rows of it",
    r"SELECT audit_heads\..*": "the audit log is checked: a line for each of its chains",
    r"SELECT audit_recent\..* LIMIT \$2\S*": "what the audit log chains next",
    r"SELECT directory\..* LIMIT \$3\S*": "all of our numbers, page by page, to compare them with a carrier's",
}  # fmt: skip
"""Clauses that ask every node of a cluster, and why they may: none locks a row of another account's."""


@pytest.fixture(scope="module")
def sent() -> set[str]:
    """Live the tour, and return what was sent."""
    with recorded() as statements:
        assert tour(Console(file=StringIO())) == 0, "the tour left traces"
    return statements


def everywhere(statements: set[str]) -> dict[str, set[str]]:
    """Return the clauses that name no shard, by the exception that they are; none stands under an empty word."""
    found: dict[str, set[str]] = {}
    for clause in unplaced(each for each in statements if each not in ACROSS_ACCOUNTS):
        flat = " ".join(clause.split())
        excuse = next((shape for shape in EVERY_NODE if re.fullmatch(shape, flat, re.DOTALL)), "")
        found.setdefault(excuse, set()).add(flat)
    return found


def test_a_life_asks_one_node_at_a_time_but_for_a_listed_few(sent: set[str]) -> None:
    assert len(sent) > 120, "that was no life"
    found = everywhere(sent)
    assert found.get("", set()) == set(), "a statement that every node of a cluster would be asked"
    assert found.keys() >= set(list(EVERY_NODE)[:2]), "an exception that nothing needs"


def test_a_life_locks_rows_of_one_account_at_a_time(sent: set[str]) -> None:
    assert locking_across(each for each in sent if each not in ACROSS_ACCOUNTS) == []


def test_a_life_joins_the_directory_to_nothing(sent: set[str]) -> None:
    assert joining_the_directory(sent - {erasing.COUNT}) == []


@pytest.mark.parametrize(
    "stray",
    [
        "SELECT messages.id FROM messages WHERE messages.ref = $1",
        "SELECT 1 FROM contacts JOIN contact_numbers ON contact_id = contacts.id WHERE contact_numbers.account_id = $1",
        "WITH w0 AS (SELECT lines.id FROM phone_lines AS lines) UPDATE accounts SET version = 1 WHERE accounts.id = $1",
        "SELECT directory.account_id FROM directory WHERE directory.subject_id = $1",
    ],
)
def test_a_statement_without_a_shard_is_noticed(stray: str) -> None:
    assert "" in everywhere({stray})
    assert clauses_of(stray)
