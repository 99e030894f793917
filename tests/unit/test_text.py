"""What of a text is seen: what hides goes, and what writing needs stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.text import hides, shown

WRITING = [
    "Ada Lovelace", "O'Brien-Smith 3", "שָׁלוֹם", "محمد", "می‌خواهم", "नमस्ते", "क्‍ष", "ശ്രീ", "അനില്‍", "ක්‍රි", "葛\U000e0100城",
    "e\u0301", "ﷺ", "\uff41\u3000\uff42", "a\u00a0b", "2 + 2 = 4 €",
    "👨‍👩‍👧", "👋🏽", "❤️", "❤️‍🔥", "1️⃣", "🇮🇱", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 home", "🏳️‍🌈", "🏴‍☠️", "👩🏾‍🚀", "\U0001fae8", "\U0001fae9",
]  # fmt: skip


@pytest.mark.parametrize("text", WRITING)
def test_what_people_write_stays(text: str) -> None:
    assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\u200b", ""), ("\u200d", ""), ("\ufe0f", ""), ("\u3164", ""), ("\u2800", ""), ("\u0301", ""),
        (" \u0301", " "),
        ("a\u200bb", "ab"), ("a\u200db", "ab"), ("a\u200cb", "ab"), ("a\ufe0fb", "ab"), ("a\x85b", "ab"),
        ("a\nb", "ab"),
        ("\u202emoc.live", "moc.live"), ("a\u2066b\u2069", "ab"), ("a\u200fb", "ab"), ("a\u00adb", "ab"),
        ("\ufeffa", "a"),
        ("a\u2028b", "ab"), ("a\ue000", "a"), ("a\uf8ff", "a"), ("a\ud800", "a"), ("a\uffff", "a"),
        ("a\u0378", "a"),
        ("\U000e0068\U000e0069", ""), ("👍\U000e0068\U000e0069", "👍"), ("\U0001f3f4\U000e0067", "\U0001f3f4"),
        ("👍\ufe0f\ufe0f", "👍\ufe0f"), ("👍\u200d\u200d👍", "👍\u200d👍"), ("1\u200d2", "12"), ("a\U0001ffff", "a"),
    ],
    ids=ascii,
)  # fmt: skip
def test_what_hides_goes(text: str, left: str) -> None:
    assert shown(text) == left
    assert hides(text) or text[-1] == "\u0301"


@given(st.text())
def test_what_is_left_is_left(text: str) -> None:
    assert shown(shown(text)) == shown(text)
    assert not shown(text).strip() or not hides(shown(text).strip()[0])


@given(st.text(st.characters(min_codepoint=0, max_codepoint=0x7F)))
def test_what_is_taken_for_plain_at_a_glance_is_seen_letter_by_letter(text: str) -> None:
    assert shown(text) == shown(text + "\u05d0")[:-1]
