"""Passwords that are guessed before all others: common words, dates, sequences, repetitions, one's own address."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from domain.common_words import WALKS, WORDS
from domain.kernel import PicoError

LEAST_PARTS = 5
"""A password has as many parts at least: things that a guesser knows, and characters that are none."""
SHORTEST = 3
"""Characters of a thing that a guesser knows."""
DISGUISES = ("", ""), ("@4310$5!7+", "aaeiossitt"), ("@4310$5!7+", "aaelosslft")
"""How letters are disguised: as they are, and in the two usual ways of reading 1 and the exclamation mark."""


class GuessablePassword(PicoError):
    """The password is guessed before others: common words, dates, sequences, repetitions, one's own name or address."""

    code = "guessable_password"


def refuse_guessable(password: str, *about: str) -> None:
    """Raise GuessablePassword where little would have to be guessed; `about` is known of the password's owner."""
    plain = password.casefold()
    readings = [plain.translate(str.maketrans(*disguise)) for disguise in DISGUISES]
    words = WORDS | {word for whole in about for word in _words(whole.casefold())}
    longest = max(map(len, words))
    at = parts = 0
    while at < len(plain) and parts < LEAST_PARTS:
        known = (_word(reading, at, words, longest) for reading in readings)
        at += max(1, *known, _sequence(plain, at), _repetition(plain, at), _digits(plain, at))
        parts += 1
    if parts < LEAST_PARTS:
        raise GuessablePassword


def _words(whole: str) -> set[str]:
    """Return a text, the sides of an address, and their words."""
    found = {whole, *whole.rpartition("@"), *re.split(r"[\W_]+", whole)}
    return {word for word in found if len(word) >= SHORTEST}


def _word(text: str, at: int, words: AbstractSet[str], longest: int) -> int:
    """Return the length of the word, or of the walk over a keyboard, that begins here; 0 where none does."""
    for end in range(min(len(text), at + longest), at + SHORTEST - 1, -1):
        piece = text[at:end]
        if piece in words or (len(piece) > SHORTEST and piece in WALKS):
            return len(piece)
    return 0


def _digits(text: str, at: int) -> int:
    """Return 2 where two digits begin here: together they are as hard to guess as one other character. Else 0."""
    return 2 if re.match(r"[0-9]{2}", text[at:]) else 0


def _sequence(text: str, at: int) -> int:
    """Return the length of what counts up or down from here, as in 9012 or cba; 0 where nothing does."""
    end, step = at + 1, 0
    while end < len(text) and (taken := _step(text[end - 1], text[end])) and step in {0, taken}:
        end, step = end + 1, taken
    return end - at if end - at >= SHORTEST else 0


def _step(one: str, other: str) -> int:
    """Return 1 where a character follows the other, -1 the other way, else 0. After 9 comes 0."""
    if (one + other).isdecimal() and (one + other).isascii():
        return {1: 1, 9: -1}.get((int(other) - int(one)) % 10, 0)
    return ord(other) - ord(one) if abs(ord(other) - ord(one)) == 1 else 0


def _repetition(text: str, at: int) -> int:
    """Return the length of what was there before and comes again here; 0 where nothing does."""
    end = at
    while end < len(text) and text[at : end + 1] in text[:end]:
        end += 1
    return end - at if end - at >= SHORTEST else 0
