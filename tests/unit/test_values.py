"""Values take what is well formed, refuse the rest, and show nothing either way."""

from __future__ import annotations

import copy
import pickle
import re
import traceback
import unicodedata
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.billing import BuyerToken, PayerRef, PurchaseToken
from domain.contacts import (
    ContactName,
    ContactNote,
    ContactNumbers,
    InvalidContactName,
    InvalidContactNote,
    InvalidContactNumber,
    SavedNumber,
)
from domain.greetings import GreetingText
from domain.kernel import PicoError
from domain.porting import InvalidPortText, PortDetails, PortText
from domain.push import DeviceToken
from domain.quiet_hours import QuietHours
from domain.search import InvalidSearch, Query
from domain.values import (
    ClientReference,
    Email,
    InvalidClientReference,
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
from domain.voicemail import AudioDigest, Transcript
from domain.webhook_endpoints import InvalidWebhookUrl, WebhookSecret, WebhookUrl

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
    ContactName,
    ContactNumbers,
    ContactNote,
    SavedNumber,
    Query,
    ClientReference,
    QuietHours,
    Transcript,
    AudioDigest,
    DeviceToken,
    GreetingText,
    PayerRef,
    BuyerToken,
    PurchaseToken,
    WebhookUrl,
    WebhookSecret,
    PortText,
    PortDetails,
]
PARSED: list[tuple[Callable[[str], PersonalText], type[PicoError]]] = [
    (PhoneNumber.parse, InvalidPhoneNumber), (Peer.parse, InvalidPeer),
    (Locale.parse, InvalidLocale),
    (Label.parse, InvalidLabel), (MessageBody.parse, InvalidMessageBody), (Password.parse, WeakPassword),
    (ContactName.parse, InvalidContactName), (SavedNumber.parse, InvalidContactNumber),
    (ContactNote.parse, InvalidContactNote), (Query.parse, InvalidSearch),
    (ClientReference.parse, InvalidClientReference), (WebhookUrl.parse, InvalidWebhookUrl),
    (PortText.parse, InvalidPortText),
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
        assert taken == parse(taken)
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
    assert PhoneNumber.or_none(text) is None


def test_what_may_be_a_number_is_one_or_none() -> None:
    assert PhoneNumber.or_none("+12025550143") == PhoneNumber.parse("+12025550143")


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


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("en", "en"), ("he-IL", "he-IL"), ("zh-Hant-TW", "zh-Hant-TW"), ("es-419", "es-419"), ("fil", "fil"),
        ("EN", "en"), ("zh-yue", "yue"), ("zh-cmn-hans-cn", "cmn-Hans-CN"),
        ("he-il", "he-IL"), ("zh-hant-tw", "zh-Hant-TW"), ("iw", "he"), ("iw_IL", "he-IL"), ("in-ID", "id-ID"),
        ("en_US", "en-US"), ("zh-TW", "zh-TW"), ("no-NO", "no-NO"),
        ("ji", "yi"), ("en-UK", "en-GB"), ("sr-Latn-RS", "sr-Latn-RS"), ("SR_LATN_RS", "sr-Latn-RS"),
        ("en-001", "en-001"), ("sr_RS_#Latn", "sr-Latn-RS"),
        ("en-US-u-ca-gregory", "en-US"), ("en-US-u-ca-gregory-nu-latn-x-a", "en-US"), ("ar-EG-t-und-latn", "ar-EG"),
        ("zh-Hans_CN", "zh-Hans-CN"), ("zh_TW_#Hant", "zh-Hant-TW"), ("zh-yue-HK", "yue-HK"), ("en_US_POSIX", "en-US"),
        ("de-CH-1901", "de-CH"), ("ca-ES-valencia", "ca-ES"), ("en_US.UTF-8", "en-US"), ("de_DE@euro", "de-DE"),
        ("en_IL@calendar=hebrew;rg=uszzzz", "en-IL"), ("sl-rozaj-biske-1994", "sl"), ("en-x-pico", "en"),
    ],
)  # fmt: skip
def test_a_locale_is_one_language_tag_however_a_phone_says_it(said: str, tag: str) -> None:
    assert Locale.parse(said) == tag
    assert Locale.parse(tag) == tag
    assert Locale.parse(said.swapcase()) == tag


@pytest.mark.parametrize(
    "text",
    ["", "e", "english", "en-us-", "-en", "en--US", "en-US-x", "en-US-u", "en\n", "en US", "e\u0301n", "\u0435n",
     "en-1", "en-usa", "C", "x-pico", "en-US" + "-variant" * 20, "en@" + "x" * 65, "123", "en-\u0661\u0662\u0663"],
)  # fmt: skip
def test_anything_else_is_no_locale(text: str) -> None:
    with pytest.raises(InvalidLocale):
        Locale.parse(text)


@pytest.mark.parametrize(
    ("parse", "shortest", "longest", "refusal"),
    [
        (Label.parse, 1, 64, InvalidLabel),
        (ClientReference.parse, 1, 64, InvalidClientReference),
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


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ("x" * 1601, "message_too_long"),
        ("\U0001f600" * 801, "message_too_long"),
        ("", "invalid_message_body"),
    ],
)
def test_a_message_that_is_too_long_for_carriers_is_told_apart(body: str, refusal: str) -> None:
    with pytest.raises(InvalidMessageBody) as refused:
        MessageBody.parse(body)
    assert refused.value.code == refusal
    assert MessageBody.parse("\U0001f600" * 800).length == 1600


FORMS: list[Literal["NFC", "NFD"]] = ["NFC", "NFD"]
LONG = st.text("ae\u0301\u00e9\u1f82\ud4db\ufb2c\U0001d160ש", min_size=8, max_size=300)


@few
@given(st.text(min_size=8, max_size=300) | LONG)
@example("e\u0301" * 129)
@example("\u1f82" * 256)
@example("\U0001d160" * 12)
def test_a_password_that_can_be_set_can_be_used_however_it_is_typed(text: str) -> None:
    try:
        password = Password.parse(text)
    except WeakPassword:
        return
    assert Password.presented(text) == Password.presented(password) == password
    for form in FORMS:
        assert Password.presented(unicodedata.normalize(form, text)) == password


@pytest.mark.parametrize("text", ["", "x" * 257, "e\u0301" * 257, "\u0301" * 100_000])
def test_what_cannot_have_been_set_is_not_hashed(text: str) -> None:
    with pytest.raises(WeakPassword):
        Password.presented(text)


NOT_SHOWN = [
    " ", "\t", "\u3000", "a\x00b", "a\nb", "a\x7f", "a\x85b", "\u200b", "a\u200bb", "\u200d", "a\u200db", "\u2800",
    "\u3164", "\ufe0f", "\u0301", "\u202emoc.live", "a\u2066b\u2069", "\u200fa", "a\u2028b", "a\u00adb", "\ufeffa",
    "a\ue000", "a\uffff", "a\u0378", "a\ud800", "\U000e0068\U000e0069",
]  # fmt: skip
"""Alone they are blank or nothing, among letters they hide or turn them round."""


@pytest.mark.parametrize("text", NOT_SHOWN, ids=ascii)
def test_a_name_is_seen_whole(text: str) -> None:
    with pytest.raises(InvalidLabel):
        Label.parse(text)
    with pytest.raises(InvalidPeer):
        Peer.parse(text)


@pytest.mark.parametrize("text", ["👨‍👩‍👧", "❤️", "نیم‌فاصله", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "שָׁלוֹם", "Zoë 2"])
def test_a_name_may_be_written_as_its_language_is(text: str) -> None:
    assert Label.parse(text) == text
    assert Peer.parse(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", "unknown"), ("\u200b", "unknown"), ("\u202e \u3164", "unknown"), ("A\x85B\u2028C", "A B C"),
        ("P\u200bI\u00adCO", "PICO"),
        ("\u202eOCIP\u202c", "OCIP"), ("a \u200b b", "a b"), ("👨‍👩‍👧 Mum", "👨‍👩‍👧 Mum"),
        ("x" * 63 + "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "x" * 63 + "🏴"),
    ],
    ids=ascii,
)  # fmt: skip
def test_a_sender_is_cleaned_and_never_refused(text: str, kept: str) -> None:
    assert Peer.of_sender(text) == kept


@given(
    st.text(max_size=80)
    | st.text("a \u200b\u200d\ufe0f\u0301👍\U000e0067\U000e007f🏴\x85\u2028", min_size=55, max_size=80)
)
def test_whom_a_carrier_names_can_be_asked_for(text: str) -> None:
    kept = Peer.of_sender(text)
    assert Peer.parse(kept) == Peer.of_sender(kept) == kept


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
