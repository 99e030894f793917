"""The privacy policy as it is published: sections and clauses, in each language, with where each clause stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["en", "he"]
State: TypeAlias = Literal["proved", "declared", "pending", "unproved"]
"""A test proves it; only a contract, a provider or a person can keep it; it is not built; or it lacks its proof."""
Words: TypeAlias = Mapping[Language, str]
"""One thing said in several languages; English is always there, and binds."""


@dataclass(frozen=True, slots=True)
class ShownProof:
    """A test that holds a clause, what switches the rule off, and what the test says then."""

    test: str
    saboteur: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownClause:
    """One clause. `reason` says why no test proves it, `evidence` what is kept instead; both may be empty."""

    id: str
    sentence: Words
    state: State
    reason: Words
    evidence: Words
    proofs: Sequence[ShownProof] = ()


@dataclass(frozen=True, slots=True)
class ShownSection:
    """A heading and its clauses. `anchor` is the heading's, in every language."""

    anchor: str
    title: Words
    clauses: Sequence[ShownClause]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPolicy:
    """The policy in force. `data_map` is a table: its rows, the first of them its head."""

    version: int
    updated: date
    title: Words
    sections: Sequence[ShownSection]
    data_map: Sequence[Sequence[str]]

    @property
    def clauses(self) -> Sequence[ShownClause]:
        """Every clause, in the policy's order."""
        return [clause for section in self.sections for clause in section.clauses]


def told(words: Words, language: Language) -> tuple[Language, str]:
    """Return what is said in a language, or in English where that is not there, with the language it is in."""
    return (language, words[language]) if language in words else ("en", words.get("en", ""))
