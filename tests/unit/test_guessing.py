"""Passwords that are guessed first are refused when they are chosen; those that are not are taken."""

from __future__ import annotations

import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.worlds import InMemory
from domain.guessing import GuessablePassword, refuse_guessable
from domain.values import Email, Label, Locale, Password

EMAIL, NAME = "Ada.Lovelace+pico@Analytical-Engine.example", "Augusta King"


@pytest.mark.parametrize(
    "password",
    [
        "123456789012", "password1234", " " * 12, "Password123!", "P@ssw0rd2024!", "passwordpassword",
        "1Password2Password", "aaaaaaaaaaaa", "x" * 256, "ababababababab", "abcabcabcabc", "abcdefghijkl",
        "zyxwvutsrqpo", "987654321098", "000000000000", "qwertyuiop12", "QWERTYUIOP{}", "1qaz2wsx3edc",
        "q1w2e3r4t5y6", "!QAZ@WSX#EDC", "poiuytrewq12", "azertyuiop123", "йцукенгшщзхъ", "iloveyou2023",
        "letmein12345!", "trustno1trustno1", "administrator", "welcome12345", "summer2024!!", "dragon monkey",
        "jesuschrist1", "liverpool1234", "christopher1987", "motdepasse123", "contraseña123", "hello hello hello",
        "e\u0301" * 129, EMAIL, EMAIL.lower(), "ada.lovelace", "lovelace1815", "ada1lovelace2", "analytical-engine",
        "ada.lovelace+pico", "AugustaKing1", "augustaaugusta", "\u200b" * 12, "👍" * 12,
    ],
    ids=ascii,
)  # fmt: skip
def test_what_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(GuessablePassword):
        refuse_guessable(password, EMAIL, NAME)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple", "another password", "mallory's own password", "kx7 Ruw#p0qN",
        "ada loves grapes", "pw for my bank", "שלושה כלבים קטנים", "тридцать три коровы", "一二三四天地玄黄宇宙洪荒",
        "The rain in Spain", "7392-5518-0264", "analytical grapes",
    ],
)  # fmt: skip
def test_what_has_to_be_guessed_is_taken(password: str) -> None:
    refuse_guessable(password, EMAIL, NAME)


@given(st.integers(0, 9), st.integers(12, 40), st.sampled_from([1, -1]))
def test_every_sequence_is_refused_wherever_it_begins(start: int, length: int, step: int) -> None:
    with pytest.raises(GuessablePassword):
        refuse_guessable("".join(str((start + step * place) % 10) for place in range(length)))


@given(st.text(string.printable, min_size=1, max_size=3), st.integers(4, 40))
def test_every_short_repetition_is_refused(unit: str, times: int) -> None:
    with pytest.raises(GuessablePassword):
        refuse_guessable(unit * times)


def test_what_a_machine_chooses_is_taken() -> None:
    for _ in range(300):
        refuse_guessable(secrets.token_urlsafe(12), EMAIL, NAME)


def test_the_longest_text_is_judged_at_once() -> None:
    with pytest.raises(GuessablePassword):
        refuse_guessable("\u0390" * 256, "x" * 254, "y" * 64)  # three characters each without their case


async def test_nobody_signs_up_with_their_own_address_as_password(world: InMemory) -> None:
    with pytest.raises(GuessablePassword):
        await world.use_cases.sign_up(Email(EMAIL), Password(EMAIL), Label(NAME), Locale("en"))
    await world.settle()
    assert not world.mail.sent
