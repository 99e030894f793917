"""Segments: counted as they are cut, in whichever alphabet, and no character is cut in two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.segments import ALONE, BASIC, EXTENSION, OF_MANY, Encoding, segments_of
from domain.values import MessageBody

GSM, UCS = Encoding.GSM_7, Encoding.UCS_2
HEBREW, EMOJI, FAMILY = "ש", "\U0001f618", "\U0001f468\u200d\U0001f469\u200d\U0001f467"
RIGHT_TO_LEFT, ACCENT = "\u200f", "\u0301"
gsm_7 = st.text(st.sampled_from(BASIC + EXTENSION), max_size=500)
anything = st.text(st.sampled_from(BASIC + EXTENSION + HEBREW + EMOJI + RIGHT_TO_LEFT + ACCENT), max_size=300)


def cut(body: str) -> tuple[Encoding, list[str]]:
    """Cut a message character by character."""
    small = all(one in BASIC + EXTENSION for one in body)
    encoding = GSM if small else UCS

    def units(text: str) -> int:
        return sum(2 if (one in EXTENSION if small else one > "\uffff") else 1 for one in text)

    if units(body) <= ALONE[encoding]:
        return encoding, [body]
    pieces = [""]
    for one in body:
        if units(pieces[-1] + one) > OF_MANY[encoding]:
            pieces.append("")
        pieces[-1] += one
    return encoding, pieces


def test_the_alphabet_of_seven_bits_has_128_places() -> None:
    assert len(BASIC) == len(set(BASIC)) == 127, "one place is the escape's"
    assert not set(BASIC) & set(EXTENSION)


@pytest.mark.parametrize(
    ("body", "encoding", "units", "count", "left"),
    [
        ("", GSM, 0, 1, 160),
        ("a" * 160, GSM, 160, 1, 0),
        ("a" * 161, GSM, 161, 2, 145),
        ("a" * 306, GSM, 306, 2, 0),
        ("a" * 307, GSM, 307, 3, 152),
        ("€" * 80, GSM, 160, 1, 0),
        ("]" * 153, GSM, 306, 3, 151),
        ("a" * 152 + "€" + "a" * 8, GSM, 162, 2, 143),
        (HEBREW * 70, UCS, 70, 1, 0),
        (HEBREW * 71, UCS, 71, 2, 63),
        (HEBREW * 134, UCS, 134, 2, 0),
        (HEBREW * 135, UCS, 135, 3, 66),
        (EMOJI * 35, UCS, 70, 1, 0),
        (EMOJI * 36, UCS, 72, 2, 61),
        (EMOJI * 67, UCS, 134, 3, 65),
        ("|" * 69 + "∞", UCS, 70, 1, 0),
        ("a" * 70 + EMOJI, UCS, 72, 2, 62),
        (FAMILY, UCS, 8, 1, 62),
        ("a" + RIGHT_TO_LEFT, UCS, 2, 1, 68),
        ("e" + ACCENT, UCS, 2, 1, 68),
        ("é", GSM, 1, 1, 159),
        ("ç", UCS, 1, 1, 69),
        ("`", UCS, 1, 1, 69),
        ("\x1b", UCS, 1, 1, 69),
        ("\r\n\f", GSM, 4, 1, 156),
        ("a" * 1600, GSM, 1600, 11, 83),
        (HEBREW * 1600, UCS, 1600, 24, 8),
    ],
)  # fmt: skip
def test_messages_are_cut_as_carriers_cut_them(
    body: str, encoding: Encoding, units: int, count: int, left: int
) -> None:
    found = segments_of(MessageBody(body))
    assert (found.encoding, found.units, found.count, found.units_left) == (encoding, units, count, left)


@given(gsm_7 | anything)
def test_it_comes_to_as_many_as_cutting_character_by_character(body: str) -> None:
    found, (encoding, pieces) = segments_of(MessageBody(body)), cut(body)
    assert (found.encoding, found.count) == (encoding, len(pieces))
    assert "".join(pieces) == body


@given(anything)
def test_what_is_left_is_just_what_goes_without_another_segment(body: str) -> None:
    found = segments_of(MessageBody(body))
    filler = "a" if found.encoding is GSM else HEBREW
    full = segments_of(MessageBody(body + filler * found.units_left))
    assert (full.count, full.units_left) == (found.count, 0)
    assert segments_of(MessageBody(body + filler * (found.units_left + 1))).count > found.count


@given(st.text(max_size=300))
def test_a_message_has_room_for_all_its_units(body: str) -> None:
    found = segments_of(MessageBody(body))
    room = ALONE if found.count == 1 else OF_MANY
    assert found.units + found.units_left <= found.count * room[found.encoding]
