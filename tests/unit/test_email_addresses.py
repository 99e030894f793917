"""Two spellings of one mailbox are one account, and no spelling looks like another."""

from __future__ import annotations

import traceback
import unicodedata
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.inbound.email_addresses import email_address
from domain.values import InvalidEmail

few = settings(max_examples=100, deadline=None)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("noa@example.com", "noa@example.com"),
        ("N.O+a@Sub.Example.CO.il", "N.O+a@sub.example.co.il"),
        ("נועה@דוגמה.ישראל", "נועה@דוגמה.ישראל"),
        ("p@xn--strae-oqa.example", "p@straße.example"),
        ("p@XN--STRAE-OQA.example", "p@straße.example"),
        ("e\u0301@mu\u0308nchen.example", "\u00e9@m\u00fcnchen.example"),
        ("ada@example.org.", "ada@example.org"),
        ('"ada"@example.org', "ada@example.org"),
        ('"a\\da"@example.org', "ada@example.org"),
        ('"a b"@example.org', '"a b"@example.org'),
        ("ada@\uff45xample\u3002org", "ada@example.org"),
        ("น้ำ@คน.ไทย", "น้ำ@คน.ไทย"),
        ("ada@sandbox.test", "ada@sandbox.test"),
    ],
)
def test_an_address_has_one_spelling(text: str, kept: str) -> None:
    assert email_address(text) == kept
    assert email_address(kept) == kept


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("p@strasse.example", "p@straße.example"),
        ("straße@example.org", "strasse@example.org"),
        ("p@βόλοσ.example", "p@βόλος.example"),
        ("ada+1@example.org", "ada@example.org"),
        ("a.da@example.org", "ada@example.org"),
        ("é@example.org", "e@example.org"),
    ],
)
def test_two_mailboxes_are_two_accounts(one: str, other: str) -> None:
    assert email_address(one).canonical != email_address(other).canonical


@pytest.mark.parametrize(
    "text",
    ["", "noa", "@example.com", "noa@", "noa@example", "noa@@example.com", "no a@example.com", "noa@example..com",
     "noa@example.com\n", " noa@example.com", "noa@example.com ", "noa@.com", "noa@example.com..",
     "x" * 65 + "@example.com", "a@" + "b" * 250 + ".com", "é" * 40 + "@" + ("x" * 60 + ".") * 3 + "com",
     "noa@[127.0.0.1]", "Noa <noa@example.com>", "<noa@example.com>", "noa@localhost", "noa@router.local", "noa@-a.com",
     "noa@ab--c.com", "noa@xn--a.com", "noa@exa_mple.com", ".noa@example.com", "noa.@example.com", "n..oa@example.com",
     'n"o"a@example.com', "noa(home)@example.com", "noa\uff20example.com", "noa@1.xn--4dbc.com"],
)  # fmt: skip
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(InvalidEmail):
        email_address(text)


UNSEEN = [
    "\u200f", "\u200e", "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u061c", "\u202e",
    "\u2066", "\u115f", "\u3164", "\uffa0", "\u2800", "\ufe0f", "\ufe00", "\U000e0101", "\u180b", "\U000e0061",
    "\x00", "\x1f", "\x7f", "\x85", "\u2028", "\u2029", "\ue000", "\uffff", "\u0378", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("unseen", UNSEEN, ids=ascii)
@pytest.mark.parametrize("place", ["{}ada@example.org", "a{}da@example.org", "ada{}@example.org", "ada@{}example.org",
                                   "ada@exam{}ple.org", "ada@example.org{}", '"a{}da"@example.org'])  # fmt: skip
def test_a_character_that_is_not_seen_is_refused(unseen: str, place: str) -> None:
    with pytest.raises(InvalidEmail):
        email_address(place.format(unseen))


@pytest.mark.parametrize(
    "local", ["\uff41da", "ﬁn", "ªda", "ada²", "\ufe8dda", "\u017fam", '"a\u00a0b"', '"a\u3000b"']
)
def test_a_look_alike_that_unicode_keeps_for_compatibility_is_refused(local: str) -> None:
    with pytest.raises(InvalidEmail):
        email_address(f"{local}@example.org")


FORMS: list[Literal["NFC", "NFD"]] = ["NFC", "NFD"]
LETTERS = st.text("abcxyz0189é\u00fcßάωςдяשल中", min_size=1, max_size=8)
ADDRESSES = st.builds(
    "{}@{}.example".format, LETTERS, st.sampled_from(["straße", "bücher", "example", "ελλάς", "भारत", "中文"])
)


@few
@given(ADDRESSES, st.sampled_from(FORMS), st.booleans(), st.booleans(), st.booleans(), st.booleans())
@example("straße@straße.example", "NFD", True, True, True, True)
def test_however_it_is_spelled_it_is_one_account(
    address: str, form: Literal["NFC", "NFD"], capitals: bool, quoted: bool, dotted: bool, encoded: bool
) -> None:
    local, _, domain = address.partition("@")
    if capitals:
        local = "".join(c.upper() if len(c.upper()) == 1 else c for c in local)
    if encoded:
        domain = ".".join(
            label if label.isascii() else "XN--" + label.encode("punycode").decode().upper()
            for label in domain.split(".")
        )
    other = unicodedata.normalize(form, (f'"{local}"' if quoted else local) + "@" + domain + "." * dotted)
    assert email_address(other).canonical == email_address(address).canonical


@few
@given(st.text(max_size=40) | st.from_regex(r"\A[^\s@]{1,20}@[^\s@]{1,20}\.[a-z]{2,3}\Z"))
def test_whatever_comes_is_read_once_and_for_all_or_refused(text: str) -> None:
    try:
        address = email_address(text)
    except InvalidEmail:
        return
    assert email_address(address) == address
    assert email_address(address.canonical).canonical == address.canonical


def test_a_refusal_does_not_quote_what_it_refused() -> None:
    canary = "c4n4ry"
    with pytest.raises(InvalidEmail) as refused:
        email_address(f"{canary}@exa mple.org")
    assert canary not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__context__ is None
