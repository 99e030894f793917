"""Values take what is well formed, refuse the rest, and show nothing either way."""

from __future__ import annotations

import copy
import pickle
import re
import traceback
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.kernel import PicoError
from domain.values import (
    Email,
    InvalidLabel,
    InvalidLocale,
    InvalidMessageBody,
    InvalidPeer,
    InvalidPhoneNumber,
    Label,
    Locale,
    MessageBody,
    Password,
    PasswordHash,
    Peer,
    PersonalText,
    PhoneNumber,
    SessionToken,
    SignUpPlace,
    WeakPassword,
)

few = settings(max_examples=30, deadline=None)
SECRETS = [
    PhoneNumber,
    Peer,
    Email,
    Locale,
    Label,
    MessageBody,
    PasswordHash,
    Password,
    SessionToken,
    SignUpPlace,
]
PARSED: list[tuple[Callable[[str], PersonalText], type[PicoError]]] = [
    (PhoneNumber.parse, InvalidPhoneNumber), (Peer.parse, InvalidPeer),
    (Locale.parse, InvalidLocale),
    (Label.parse, InvalidLabel), (MessageBody.parse, InvalidMessageBody), (Password.parse, WeakPassword),
]  # fmt: skip
texts = st.text(alphabet="kqxyz+@.-0123456789", min_size=4, max_size=40)


def test_every_secret_is_looked_at() -> None:
    # By name: tests that import the domain afresh leave twins of these classes behind.
    assert {kind.__name__ for kind in SECRETS} == {kind.__name__ for kind in PersonalText.__subclasses__()}


@pytest.mark.parametrize("kind", SECRETS)
@few
@given(text=texts)
def test_a_repr_never_shows_the_value(kind: type[PersonalText], text: str) -> None:
    value = kind(text)
    for shown in (repr(value), f"{value!r}", repr([value]), repr({"k": (value,)}), "%r" % (value,)):  # noqa: UP031
        assert text not in shown
        assert kind.__name__ in shown
    assert value == text
    assert str(value) == text


@pytest.mark.parametrize("kind", SECRETS)
def test_a_copied_secret_is_still_one(kind: type[PersonalText]) -> None:
    value = kind("kept")
    for copied in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):  # noqa: S301 - our own
        assert type(copied) is kind
        assert copied == value


@pytest.mark.parametrize(("parse", "refusal"), PARSED)
@few
@given(text=st.text(max_size=80))
def test_whatever_comes_is_taken_or_refused_without_being_quoted(
    parse: Callable[[str], PersonalText], refusal: type[PicoError], text: str
) -> None:
    try:
        taken = parse(text)
    except refusal as error:
        refused = error
    else:
        assert taken == (unicodedata.normalize("NFC", text) if isinstance(taken, Password) else text)
        return
    assert (str(refused), refused.args) == (str(refusal()), ())
    assert len(text) < 20 or text not in "".join(traceback.format_exception(refused))


@pytest.mark.parametrize("text", ["+12025550143", "+972541234567", "+1234567", "+123456789012345"])
def test_a_number_is_e164(text: str) -> None:
    assert PhoneNumber.parse(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12025550143",
        "+02025550143",
        "+123456",
        "+1234567890123456",
        "+1 202 555",
        "+12025550143\n",
        "+١٢٣٤٥٦٧٨",
    ],
)
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(InvalidPhoneNumber):
        PhoneNumber.parse(text)


@few
@given(
    text=st.from_regex(re.compile(r"[a-z]{1,8}@[a-z]{1,8}\.com", re.ASCII), fullmatch=True), data=st.data()
)
def test_addresses_that_differ_in_case_are_the_same(text: str, data: st.DataObject) -> None:
    other = "".join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in text)
    assert Email(text).canonical == Email(other).canonical


@few
@given(st.text(max_size=40))
def test_the_canonical_form_of_an_address_is_its_own(text: str) -> None:
    assert Email(Email(text).canonical).canonical == Email(text).canonical


@pytest.mark.parametrize("text", ["en", "he-IL", "zh-Hant-TW", "es-419", "fil"])
def test_a_locale_is_a_language_tag(text: str) -> None:
    assert Locale.parse(text) == text


@pytest.mark.parametrize("text", ["", "e", "EN", "en_US", "en-us", "english", "en-US-x", "en\n"])
def test_anything_else_is_no_locale(text: str) -> None:
    with pytest.raises(InvalidLocale):
        Locale.parse(text)


@pytest.mark.parametrize(
    ("parse", "shortest", "longest", "refusal"),
    [
        (Label.parse, 1, 64, InvalidLabel),
        (MessageBody.parse, 1, 1600, InvalidMessageBody),
        (Password.parse, 12, 256, WeakPassword),
    ],
)
def test_lengths_are_exact(
    parse: Callable[[str], PersonalText], shortest: int, longest: int, refusal: type[PicoError]
) -> None:
    for length in (shortest, longest):
        assert len(parse("ש" * length)) == length
    for length in (shortest - 1, longest + 1):
        with pytest.raises(refusal):
            parse("ש" * length)


@pytest.mark.parametrize("text", [" ", "\t", "a\x00b", "a\nb", "a\x7f"])
def test_a_label_has_something_to_show_and_no_control_characters(text: str) -> None:
    with pytest.raises(InvalidLabel):
        Label.parse(text)


@pytest.mark.parametrize("text", ["+12025550143", "12345", "PICO", "Bank Leumi"])
def test_a_peer_is_a_number_a_short_code_or_a_name(text: str) -> None:
    assert Peer.parse(text) == text


@pytest.mark.parametrize("text", ["", " ", " PICO", "PICO ", "a\nb", "x" * 65])
def test_anything_else_is_no_peer(text: str) -> None:
    with pytest.raises(InvalidPeer):
        Peer.parse(text)


def test_a_text_may_have_lines_and_no_nul() -> None:
    assert MessageBody.parse("two\nlines 👋🏽") == "two\nlines 👋🏽"
    with pytest.raises(InvalidMessageBody):
        MessageBody.parse("a\x00b")


@pytest.mark.parametrize("text", ["+12025550143", "123", "12345678"])
def test_a_number_or_a_short_code_can_be_sent_to(text: str) -> None:
    assert Peer.destination(text) == text


@pytest.mark.parametrize("text", ["12", "123456789", "PICO BANK", "+123456", "123\n", ""])
def test_nobody_else_can_be_sent_to(text: str) -> None:
    with pytest.raises(InvalidPhoneNumber):
        Peer.destination(text)
