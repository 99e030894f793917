"""What people on a call hear: every notice in every language, read by a voice that knows its letters."""

from __future__ import annotations

from datetime import timedelta
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.outbound.telnyx.call_control import VOICES as AT_TELNYX
from adapters.outbound.twilio.twiml import VOICES, twiml
from domain.call_instructions import AskForKey, CallAnswer, Connect, Forward, HangUp, Say, TakeMessage
from domain.call_words import WORDS, Notice, Spoken
from domain.kernel import CallId, LineId
from domain.values import Locale, PersonalText, PhoneNumber
from pico_testkit.contracts.carrier import LINE, MESSAGE, NUMBER

HEBREW, ENGLISH = Spoken.HEBREW, Spoken.ENGLISH


def document(*told: object, language: Spoken = HEBREW) -> Element:
    answer = CallAnswer(told, LineId(LINE), CallId(MESSAGE), language)  # type: ignore[arg-type]
    return fromstring(twiml(answer))  # noqa: S314 - our own


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1))
@example("<Record/> & \"R\" 'D' ]]> <!--")
def test_no_sign_of_what_is_said_is_read_as_an_instruction(words: str) -> None:
    told = document(TakeMessage(words=PersonalText(words)))
    assert [element.tag for element in told.iter()] == ["Response", "Say", "Record", "Hangup"]
    assert told.findtext("Say") == words
    played = document(TakeMessage(audio=words))
    assert [element.tag for element in played.iter()] == ["Response", "Play", "Record", "Hangup"]
    assert played.findtext("Play") == words


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1))
@example("\"/><Record/> & '")
def test_no_sign_of_a_number_is_read_as_an_instruction(number: str) -> None:
    told = document(Connect(PhoneNumber(number), PhoneNumber(number), timedelta(seconds=9)))
    assert [element.tag for element in told.iter()] == ["Response", "Dial", "Number"]
    dial = told.find("Dial")
    assert dial is not None
    assert (dial.get("callerId"), dial.findtext("Number")) == (number, number)


@pytest.mark.parametrize("language", Spoken)
def test_every_notice_is_there_in_every_language_and_read_by_a_voice_of_it(language: Spoken) -> None:
    assert WORDS.keys() == AT_TELNYX.keys() == VOICES.keys() == set(Spoken)
    for notice in Notice:
        words = notice.words(language)
        assert Spoken.of_words(words) is language
        assert ("{key}" in words) is (notice is Notice.PRESS_TO_TAKE)


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("he", HEBREW),
        ("he-IL", HEBREW),
        ("iw-IL", HEBREW),
        ("en-IL", ENGLISH),
        ("fr", ENGLISH),
        (None, ENGLISH),
    ],
)
def test_a_person_is_spoken_to_in_their_language_or_else_in_english(
    locale: str | None, language: Spoken
) -> None:
    assert Spoken.of_locale(None if locale is None else Locale.parse(locale)) is language


def test_a_notice_is_read_by_the_voice_of_its_language() -> None:
    said = document(Say(Notice.BLOCKED), HangUp()).find("Say")
    assert said is not None
    assert (said.text, said.get("language")) == (Notice.BLOCKED.words(HEBREW), "he-IL")
    english = document(Say(Notice.BLOCKED), language=ENGLISH).find("Say")
    assert english is not None
    assert (english.text, english.attrib) == (Notice.BLOCKED.words(ENGLISH), {})
    asked = document(AskForKey()).find("Gather/Say")
    assert asked is not None
    assert asked.text == Notice.PRESS_TO_TAKE.words(HEBREW).format(key="1")


@pytest.mark.parametrize(
    ("words", "voice"), [("You have reached Ada.", None), ("הגעתם אל עדה.", "he-IL"), (None, "he-IL")]
)
def test_a_greeting_is_read_by_a_voice_that_knows_its_letters(words: str | None, voice: str | None) -> None:
    greeting = TakeMessage(words=None if words is None else PersonalText(words))
    said = document(greeting).find("Say")
    assert said is not None
    assert (said.get("language"), said.text) == (voice, words or Notice.LEAVE_A_MESSAGE.words(HEBREW))


def test_whoever_answers_a_forwarded_call_is_asked_in_the_language_that_the_address_names() -> None:
    forward = Forward(PhoneNumber("+14155550126"), NUMBER, TakeMessage().longest)
    number = document(forward).find("Dial/Number")
    assert number is not None
    assert "/screen?" in number.get("url", "")
    assert number.get("url", "").endswith("language=he")
