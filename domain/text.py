"""What of a text can be seen. What people call themselves, others and their lines holds nothing else."""

from __future__ import annotations

import re
import unicodedata

# Code points by number: here an escape can be read, the character itself cannot.
JOINERS = "\u200c\u200d"
VARIATION = re.compile("[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
BLANK_LETTERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
"""Unicode calls them letters, marks and a symbol; they are drawn as nothing."""
PIECE = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f|.", re.DOTALL)
"""One character, or the flag of England, Scotland, Wales, Texas…: a black flag and its place in unseen letters."""
NOT_SEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def hides(text: str) -> bool:
    """Tell whether a character is not seen: control, format, bidi, private, unassigned, joiner, variation, filler."""
    return not all(map(_is_seen, text))


def shown(text: str) -> str:
    """Return what is seen of a text. Unseen characters stay where writing needs them: in emoji, in Persian, in Hindi.

    A text that is `shown(text)` and has more than blanks shows something, and changes nothing around it.
    """
    if text.isascii() and text.isprintable():
        return text  # Nearly always: a number, for which what follows took 10 µs.
    kept = [""]
    for piece in PIECE.findall(text):
        if len(piece) > 1 or _belongs(piece, kept[-1][-1:]):
            kept.append(piece)
    return "".join(kept)


def _belongs(character: str, before: str) -> bool:
    """Tell whether a character stays, after one that did: joiners, variations and marks do only where they work."""
    if _is_seen(character):
        return unicodedata.category(character)[0] != "M" or bool(before.strip())
    if not before or before.lower() != before.upper():
        return False  # no letter that has a case is joined, or has variations
    if character in JOINERS:
        return unicodedata.category(before)[0] in "LMS"
    return bool(VARIATION.match(character)) and unicodedata.category(before)[0] in "LNPS"


def _is_seen(character: str) -> bool:
    if character in BLANK_LETTERS or VARIATION.match(character):
        return False
    return unicodedata.category(character) not in NOT_SEEN or _may_be_emoji(character)


def _may_be_emoji(character: str) -> bool:
    """Tell whether Unicode keeps the code point for emoji: phones have new ones years before Python knows them."""
    return "\U0001f000" <= character <= "\U0001fffd"
