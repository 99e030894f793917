"""Records of processing activities (Article 30 GDPR), written from the policy's clauses and the inventory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from application.inventory import Stored
from bootstrap.policy import POLICY, Clause, parse
from bootstrap.publication import sections
from domain.classification import StorageKind

RECORDS = POLICY.with_name("RECORDS.md")
ACTIVITIES: Mapping[str, tuple[str, ...]] = {
    "Controller and contact (a)": ("Who is responsible", "Asking us"),
    "Purposes and legal bases (b)": ("Why we may use it",),
    "People and data (c)": ("What we keep", "Other people's data"),
    "Recipients (d)": (
        "Who works for us",
        "Where devices are woken",
        "Where Telnyx carries lines, too",
        "Where Apple's App Store sells plans, too",
        "Where Google Play sells plans, too",
    ),
    "Transfers to third countries (e)": ("Where it goes",),
    "Time limits for erasure (f)": ("How long we keep it",),
    "Rights of the people": ("Your rights",),
}
"""What Article 30(1) asks for, by its letters, and the policy's headings under which it is said."""
MEASURES = ("H2", "H8", "H12", "H14", "H20", "H23", "H29", "H30", "H40", "H50", "H60")
"""The clauses about security (g)."""
PREFACE = (
    "Article 30 GDPR. Written by `./pico policy --write` from `PRIVACY.md` and the inventory of every record: change "
    "those, not this. Each sentence has its clause's id; `./pico policy` shows what proves it."
)
NOT_ASKED_FOR = ("", "What we never collect", "The small print, in plain words")
"""Headings whose clauses Article 30 does not ask for, but for the measures."""


def records_of_processing(markdown: str, inventory: Iterable[Stored]) -> str:
    """Write the records. Raises KeyError where a clause or heading that they stand on is gone."""
    clauses = {clause.id: clause for clause in parse(markdown)}
    found = sections(markdown)
    parts = ["# Records of processing activities", PREFACE]
    for title, headings in ACTIVITIES.items():
        told = [clauses[name] for heading in headings for name in found[heading]]
        parts += [f"## {title}", _bullets(told)]
        if title == "People and data (c)":
            parts += [
                "The people are those who have an account, and those who write to them or speak with them.",
                _table(inventory),
            ]
    parts += ["## Technical and organisational measures (g)", _bullets([clauses[name] for name in MEASURES])]
    return "\n\n".join(parts) + "\n"


def _bullets(clauses: Sequence[Clause]) -> str:
    return "\n".join(f"- **{clause.id}** {clause.text}" for clause in clauses)


def _table(inventory: Iterable[Stored]) -> str:
    rows = [
        "| record | content, encrypted | fingerprints | everything else | clauses |",
        "|---|---|---|---|---|",
    ]
    for stored in inventory:
        names: dict[StorageKind, list[str]] = {
            StorageKind.SEALED: [],
            StorageKind.INDEX: [],
            StorageKind.REF: [],
        }
        for column in stored.columns:
            kind, index = column.policy.kind, column.policy.index
            names[kind if kind in names else StorageKind.REF].append(column.name)
            if kind is StorageKind.SEALED and index is not None:
                names[StorageKind.INDEX].append(column.name)
        allowed = dict.fromkeys(column.policy.clause for column in stored.columns)
        cells = (stored.name, *map(", ".join, names.values()), ", ".join(allowed))
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)
