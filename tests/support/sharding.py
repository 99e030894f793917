"""Which clauses of statements name the one shard that they are about, by the rules of docs/adr/0009."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from unittest.mock import patch

from adapters.outbound.postgres import pool
from adapters.outbound.postgres.tables import DIRECTORY, TABLES

OWNERS = {
    "accounts": "accounts.id", "limits": "limits.key", "data_requests": "data_requests.about",
    "ledger_place": "ledger_place.ledger", "catch_ups": "catch_ups.carrier",
}  # fmt: skip
"""What names the one shard of a row that is locked, where it is not `account_id`."""
LOCKS = re.compile(r"\b(FOR (NO KEY )?UPDATE|FOR (KEY )?SHARE|UPDATE|DELETE)\b")
_PLACES = OWNERS | {"directory": "directory.key", "audit_log": "audit_log.chain"}
"""What names the one shard of a row that is read. Of the directory's, its key."""


def tables_in(clause: str) -> set[str]:
    """Return the tables that a clause names, what stands in quotes apart."""
    bare = re.sub(r"'[^']*'", "", clause)
    return {table for table in TABLES.tables if re.search(rf"\b{table}\b", bare)}


def clauses_of(statement: str) -> list[str]:
    """Return the parts of a statement that are planned each by itself: common table expressions, and what is left."""
    clauses, left = [], statement
    for begun in re.finditer(r"(?:WITH|,)\s+\w+ AS\s*\(", statement):
        end = begun.end()
        depth = 1
        while depth:
            depth += {"(": 1, ")": -1}.get(statement[end], 0)
            end += 1
        clauses.append(statement[begun.end() : end - 1])
        left = left.replace(statement[begun.start() : end], "")
    return [*clauses, left]


def locking_across(statements: Iterable[str]) -> list[str]:
    """Return the clauses that lock rows of more than the one account."""
    found = []
    for clause in chain.from_iterable(map(clauses_of, statements)):
        if LOCKS.search(clause) and not clause.lstrip().startswith("INSERT"):
            owners = {OWNERS.get(table, f"{table}.account_id") for table in tables_in(clause)}
            if not owners or not all(f"{owner} = $1" in clause for owner in owners):
                found.append(clause)
    return found


def joining_the_directory(statements: Iterable[str]) -> list[str]:
    """Return the clauses that name the directory beside another table."""
    clauses = chain.from_iterable(map(clauses_of, statements))
    return [
        clause for clause in clauses if DIRECTORY.name in tables_in(clause) and len(tables_in(clause)) > 1
    ]


def unplaced(statements: Iterable[str]) -> list[str]:
    """Return the clauses that name no shard for a table in them: a cluster would ask every node."""
    return [
        clause
        for clause in chain.from_iterable(map(clauses_of, statements))
        if not clause.lstrip().startswith("INSERT") and not _placed(clause)
    ]


def _placed(clause: str) -> bool:
    """Tell whether each table's shard is given, or is that of a table beside it whose shard is given."""
    places = {table: _PLACES.get(table, f"{table}.account_id") for table in tables_in(clause)}
    given = {table for table, place in places.items() if re.search(rf"\b{re.escape(place)} = \$\d", clause)}
    for one, other in _joined(clause):
        if {one, other} & given:
            given |= {one, other}
    return given >= places.keys()


def _joined(clause: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"\b(\w+)\.account_id = (\w+)\.account_id\b", clause):
        yield found[1], found[2]


@contextmanager
def recorded() -> Iterator[set[str]]:
    """Note the text of each statement that this process sends to the main database, without its values."""
    sent, run = set[str](), pool.Database._run

    async def noting(self: pool.Database, how: object, statement: str, values: tuple[object, ...]) -> object:
        if "keyring" not in self.dsn:  # which is small, and no cluster
            sent.add(statement)
        return await run(self, how, statement, values)  # type: ignore[arg-type]  # as it came

    with patch.object(pool.Database, "_run", noting):
        yield sent
