"""The policy in Hebrew says what it says in English: every sentence, for the wording that it was made for."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bootstrap.policy import POLICY, Clause, Declaration, PolicyError, parse, text_hash
from bootstrap.publication import headings
from bootstrap.translation import (
    HEBREW,
    Translated,
    Translation,
    lacking,
    read_translation,
    reason_hash,
)

ENGLISH = POLICY.read_text(encoding="utf-8")
TRANSLATION = read_translation(HEBREW.read_text(encoding="utf-8"))
NAMES = (
    "Twilio", "Telnyx", "Stripe", "SendGrid", "Sentry", "AWS", "KMS", "Argon2id", "AES-256-GCM", "SHA-256", "JSON",
    "E.164", "GDPR", "STOP", "START",
)  # fmt: skip
LINK = re.compile(r"\[[^\]]+\]\((#[\w-]+)\)")


def facts(text: str) -> list[str]:
    """Return what a translation may not change: clauses' ids, figures, names, addresses and where links lead."""
    figures = re.findall(r"(?<![\w.])[A-Z]?\d+(?:,\d{3})*(?!\w)", text)
    return sorted([
        *figures, *LINK.findall(text), *re.findall(r"/legal/\w+|\w+@[\w.]+\w|us-east-1", text),
        *{name for name in NAMES if re.search(rf"\b{re.escape(name)}\b", text)},
    ])  # fmt: skip


def test_every_sentence_has_a_translation_made_for_just_this_wording() -> None:
    assert lacking(parse(ENGLISH), headings(ENGLISH), TRANSLATION) == (), "see pico policy --untranslated"


@pytest.mark.parametrize("clause", parse(ENGLISH), ids=lambda clause: str(clause.id))
def test_a_translation_keeps_figures_names_and_references(clause: Clause) -> None:
    hebrew = TRANSLATION.sentence(clause) or ""
    assert facts(hebrew) == facts(clause.text)
    assert len(re.findall("[א-ת]", hebrew)) > len(clause.text) / 6, "it is not Hebrew"


CLAUSE = Clause("T9", "It is kept.")
SAID = Clause("T8", "It is agreed.", declared=Declaration("A contract.", "the signed clauses."))
MADE = Translation(
    "", {"One": "אחת"},
    {"T9": Translated(text_hash(CLAUSE), "נשמר."), "T8": Translated(text_hash(SAID), "מוסכם.")},
    {"T8": Translated(reason_hash(SAID), "חוזה. נשמר: התניות.")},
)  # fmt: skip


def test_says_what_a_translation_lacks_as_it_is_to_be_written() -> None:
    assert lacking([CLAUSE, SAID], ["One"], MADE) == ()
    changed = replace(CLAUSE, text="It is sold.")
    assert lacking([changed, SAID], ["One"], MADE) == (f"- **T9** ({text_hash(changed)}) It is sold.",)
    assert MADE.sentence(changed) is None, "what was made for another wording is shown"
    other = replace(SAID, declared=Declaration("A contract.", "nothing."))
    (line,) = lacking([CLAUSE, other], ["One"], MADE)
    assert line.startswith(f"- **T8** ({reason_hash(other)}) A contract. Kept: nothing.")
    assert MADE.reason(other) is None
    assert lacking([CLAUSE], ["One", "Two"], MADE) == (
        "## … <!-- Two -->",
        "- **T8** is no clause any more: take it out",
        "- **T8** is not declared any more: take its reason out",
    )


@pytest.mark.parametrize(
    "line", ["- **T9** נשמר.", "- **T9** (0123) נשמר.", "- **T9** (0123456789ab) א\n" * 2]
)
def test_refuses_what_does_not_say_what_it_was_made_for(line: str) -> None:
    with pytest.raises(PolicyError):
        read_translation(line)


def test_reads_the_two_halves_of_a_reason() -> None:
    assert MADE.reason(SAID) == ("חוזה.", "התניות.")
