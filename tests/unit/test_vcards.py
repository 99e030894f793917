"""vCards as phones and address books write them, after their formats' rules; and as whoever means harm writes them."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.inbound.http.vcards.lines import LONGEST_LINE, TooManyLines
from adapters.inbound.http.vcards.reading import MOST_LINES_OF_A_CARD, cards_in, seen
from adapters.inbound.http.vcards.writing import VCardVersion, vcards
from application.contact_import import FoundCard, SkipReason
from domain.contacts import (
    Contact,
    ContactId,
    ContactName,
    ContactNote,
    ContactNumbers,
    InvalidContactName,
    InvalidContactNumber,
    SavedNumber,
)
from domain.kernel import AccountId
from domain.text import shown
from domain.values import BREAKS

T = TypeVar("T")
Told = tuple[str, tuple[str, ...], str | None]
QP = "ENCODING=QUOTED-PRINTABLE"


def v(version: str, *lines: str, end: str = "\r\n") -> bytes:
    """Write a card."""
    return end.join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", "")).encode()


SHAPES: dict[str, tuple[bytes, Told, int]] = {
    "Android 4, 2.1: quoted-printable names": (
        v("2.1", f"N;CHARSET=UTF-8;{QP}:=D7=9B=D7=94=D7=9F;=D7=A0=D7=95=D7=A2=D7=94;;;",
          f"FN;CHARSET=UTF-8;{QP}:=D7=A0=D7=95=D7=A2=D7=94=20=D7=9B=D7=94=D7=9F", "TEL;CELL:+972542345678"),
        ("נועה כהן", ("+972542345678",), None), 0,
    ),
    "Android, 2.1: a name broken softly where the next line has no blank": (
        v("2.1", f"FN;CHARSET=UTF-8;{QP}:=D0=92=D0=B8=D0=BA=D1=82=D0=BE=D1=80=20=", "=D0=A1=D0=BE=D1=82=",
          "=D0=BD", "TEL;CELL;PREF:+70000000000"),
        ("Виктор Сотн", ("+70000000000",), None), 0,
    ),
    "Android, 2.1: the structure of a broken name goes on in the next line": (
        v("2.1", f"N;CHARSET=UTF-8;{QP}:;=D0=9A=D0=BE=D0=BC=D0=BC=D0=B5=D1=80=D1=87=", ";;;", "TEL:+420000000000"),
        ("Коммерч", ("+420000000000",), None), 0,
    ),
    "Samsung, 2.1: a label of one's own in parentheses": (
        v("2.1", "N:;Test;;;", "FN:Test", "X-ANDROID-CUSTOM:vnd.android.cursor.item/nickname;t;1;;;;;;;;;;;;;",
          "TEL;X-CUSTOM(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,=70=72=6F):+390000000000"),
        ("Test", ("+390000000000",), None), 1,
    ),
    "Android, 2.1: a picture in bare base64, ended by an empty line": (
        v("2.1", "N:Doe;Jane;;;", "FN:Jane Doe", "TEL;HOME:555-0100", "PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQ",
          " SkZJRgABAQ==", "", "NOTE:seen"),
        ("Jane Doe", ("555-0100",), "seen"), 1,
    ),
    "Google, 3.0: groups and labels": (
        v("3.0", "FN:Noa Cohen", "N:Cohen;Noa;;;", "item1.TEL:+1 202-555-0143", "item1.X-ABLabel:Custom",
          "TEL;TYPE=CELL:+1 202-555-0144", "EMAIL;TYPE=INTERNET:noa@example.org", "CATEGORIES:myContacts"),
        ("Noa Cohen", ("+1 202-555-0143", "+1 202-555-0144"), None), 3,
    ),
    "Google, 3.0: a note with its lines and commas escaped": (
        v("3.0", "FN:Noa", "N:;Noa;;;", "TEL:+12025550143", r"NOTE:one\, two\nthree\; four \\ five"),
        ("Noa", ("+12025550143",), "one, two\nthree; four \\ five"), 0,
    ),
    "iCloud, 3.0: types one by one, a picture folded over lines": (
        v("3.0", "PRODID:-//Apple Inc.//iPhone OS 17.0//EN", "N:Lovelace;Ada;;Dr.;", "FN:Dr. Ada Lovelace",
          "TEL;type=CELL;type=VOICE;type=pref:+1 (202) 555-0143", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAkAC",
          "  QAAD/4QCMRXhpZg==", "REV:2026-01-05T12:00:00Z"),
        ("Dr. Ada Lovelace", ("+1 (202) 555-0143",), None), 1,
    ),
    "Apple, 3.0: a firm": (
        v("3.0", "N:;;;;", "FN:", "ORG:Bakery;", "X-ABShowAs:COMPANY", "TEL;type=MAIN:03-123 4567"),
        ("Bakery", ("03-123 4567",), None), 2,
    ),
    "macOS, 3.0: two pauses and an extension": (
        v("3.0", "FN:Conference", r"TEL;type=WORK:+1-800-555-0199\,\,1234#", "TEL:*2700"),
        ("Conference", ("+1-800-555-0199,,1234#", "*2700"), None), 0,
    ),
    "Apple, in UTF-16 as of old": (
        v("3.0", "FN:Ådne Ælf", "TEL:+4722000000").decode().encode("utf-16"),
        ("Ådne Ælf", ("+4722000000",), None), 0,
    ),
    "Outlook, 2.1: Windows' own letters without a word of it": (
        v("2.1", "N;LANGUAGE=de:Müller;Jürgen", "FN:Jürgen Müller", "TEL;WORK;VOICE:+49 30 000000",
          f"LABEL;WORK;PREF;{QP}:Stra=DFe 1=0D=0A=", "10115 Berlin").decode().encode("windows-1252"),
        ("Jürgen Müller", ("+49 30 000000",), None), 1,
    ),
    "Outlook, 2.1: a note of several lines": (
        v("2.1", "FN:Kim", "TEL;CELL:+82 2-000-0000", f"NOTE;{QP}:first=0D=0A=", "second=0D=0A="),
        ("Kim", ("+82 2-000-0000",), "first\nsecond\n"), 0,
    ),
    "Nokia, 2.1: in ISO 8859-1": (
        v("2.1", "N;CHARSET=ISO-8859-1:Järvi;Äiti", "TEL;CELL:+358400000000").decode().encode("latin-1"),
        ("Äiti Järvi", ("+358400000000",), None), 0,
    ),
    "a Japanese phone, 2.1: in Shift JIS": (
        v("2.1", "N;CHARSET=SHIFT_JIS:山田;太郎", "TEL;CELL:090-0000-0000").decode().encode("shift_jis"),
        ("太郎 山田", ("090-0000-0000",), None), 0,
    ),
    "a card in a card, 2.1": (
        v("2.1", "FN:Boss", "TEL:+12025550143", "AGENT:", "BEGIN:VCARD", "VERSION:2.1", "FN:Secretary",
          "TEL:+12025550199", "END:VCARD"),
        ("Boss", ("+12025550143",), None), 1,
    ),
    "4.0: numbers as URIs": (
        v("4.0", "FN:Noa", 'TEL;VALUE=uri;PREF=1;TYPE="voice,home":tel:+1-202-555-0143;ext=102',
          "TEL;VALUE=uri:tel:7042;phone-context=+1914555", "KIND:individual", "BDAY:--0102"),
        ("Noa", ("+1-202-555-0143 ext. 102", "+19145557042"), None), 1,
    ),
    "4.0: a picture as a data URI": (
        v("4.0", "FN:Noa", "TEL;TYPE=cell:+12025550143", "PHOTO:data:image/jpeg;base64,/9j/4AAQSkZJRgABAQ=="),
        ("Noa", ("+12025550143",), None), 1,
    ),
    "4.0: a name folded inside and a mark at the file's beginning": (
        b"\xef\xbb\xbf" + v("4.0", "FN:Noa נו", " עה Co", "\then", "TEL:+12025550143"),
        ("Noa נועה Cohen", ("+12025550143",), None), 0,
    ),
    "in small letters, with bare line feeds, the same number twice": (
        b"begin:vcard\nversion:3.0\nfn:Noa\ntel;type=cell:+1 202 555 0143\ntel;type=home:+12025550143\nend:vcard",
        ("Noa", ("+1 202 555 0143",), None), 0,
    ),
    "a nickname where there is no name": (
        v("3.0", "N:;;;;", "NICKNAME:Nono", "TEL:+12025550143"), ("Nono", ("+12025550143",), None), 0,
    ),
    "a name with what cannot be seen, and a line end inside": (
        v("3.0", "FN:N\u200boa\u202e\\nCohen", "TEL:+1\u00a0202\u00a0555\u00a00143"),
        ("Noa Cohen", ("+1\u00a0202\u00a0555\u00a00143",), None), 0,
    ),
}  # fmt: skip


def read(data: bytes, piece: int = 1 << 16) -> list[FoundCard]:
    """Read a file that arrives in pieces of so many bytes."""

    async def arriving() -> AsyncIterator[bytes]:
        for at in range(0, len(data), piece):
            yield data[at : at + piece]

    async def run() -> list[FoundCard]:
        return [found async for found in cards_in(arriving())]

    return asyncio.run(run())


def told(found: FoundCard) -> Told:
    assert found.card is not None
    note = found.card.note
    return str(found.card.name), tuple(map(str, found.card.numbers.each)), None if note is None else str(note)


@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_card_is_read_as_it_was_meant_in_whatever_pieces_it_arrives(
    shape: tuple[bytes, Told, int], piece: int
) -> None:
    data, meant, dropped = shape
    (found,) = read(data, piece)
    assert (told(found), found.dropped) == (meant, dropped)


def test_at_least_twenty_shapes_and_all_of_them_in_one_file() -> None:
    one_charset = [shape for name, shape in SHAPES.items() if "UTF-16" not in name and "mark" not in name]
    found = read(b"\r\n".join(data for data, _, _ in one_charset))
    assert [told(one) for one in found] == [meant for _, meant, _ in one_charset]
    assert [one.position for one in found] == list(range(1, len(found) + 1))
    assert len(SHAPES) >= 20


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (v("3.0", "FN:Noa", "EMAIL:noa@example.org"), SkipReason.WITHOUT_NUMBER),
        (v("3.0", "FN:Noa", "TEL:home"), SkipReason.WITHOUT_NUMBER),
        (v("3.0", "FN:Noa", "TEL;VALUE=uri:sip:noa@example.org"), SkipReason.WITHOUT_NUMBER),
        (v("3.0", "FN:\u200b", "N:;;;;", "TEL:+12025550143"), SkipReason.WITHOUT_NAME),
        (v("3.0", "FN:Noa", "TEL:+12025550143")[:-12], SkipReason.CUT_OFF),
        (v("3.0", "FN:Noa", *["TEL:1"] * MOST_LINES_OF_A_CARD), SkipReason.TOO_LONG),
        (b"BEGIN:VCARD\n" * 9 + b"FN:Noa\nTEL:1\n" + b"END:VCARD\n" * 9, SkipReason.WITHOUT_NUMBER),
    ],
)
def test_a_card_with_nothing_to_save_says_why_and_where(data: bytes, reason: SkipReason) -> None:
    found = read(v("3.0", "FN:First", "TEL:1") + data)
    assert [(one.position, one.skipped) for one in found] == [(1, None), (2, reason)]


def made(parse: Callable[[str], T], longest: int) -> Callable[[str], T | None]:
    """Return what makes a value of any text of which something can be seen, else None."""

    def make(text: str) -> T | None:
        try:
            return parse(seen(text, longest))
        except (InvalidContactName, InvalidContactNumber):
            return None

    return make


def noted(text: str) -> ContactNote | None:
    lines = [shown(BREAKS.sub("", line)) for line in text.split("\n")]
    return ContactNote.parse("\n".join(lines)) if "".join(lines).strip() else None


ODD = st.text(
    st.sampled_from("aZ1 ,;:\\\"'=\t\n\u00a0\u05d0\u05b8\u2028\U0001f469\u200d\U0001f4bb\u0301nN%"),
    max_size=90,
)
ANY = st.one_of(ODD, st.text(max_size=140))
NAMES = ANY.map(made(ContactName.parse, ContactName.LONGEST)).filter(bool)
NUMBERS = st.lists(
    st.one_of(st.text("0123456789+*#,;:\\ ()-pw", min_size=1), ANY.map(lambda text: f"1{text}"))
    .map(made(SavedNumber.parse, SavedNumber.LONGEST)).filter(bool),
    min_size=1, max_size=5,
).map(lambda numbers: ContactNumbers.of(filter(None, numbers)))  # fmt: skip
NOTES = ANY.map(noted)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(NAMES, NUMBERS, NOTES), min_size=1, max_size=4),
    st.sampled_from(VCardVersion),
    st.integers(1, 99),
)
def test_what_is_exported_is_imported_the_same(
    kept: list[tuple[ContactName, ContactNumbers, ContactNote | None]], version: VCardVersion, piece: int
) -> None:
    contacts = [
        Contact(
            account_id=AccountId(UUID(int=1)), id=ContactId(UUID(int=n)), name=name, numbers=numbers, note=note,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        for n, (name, numbers, note) in enumerate(kept)
    ]  # fmt: skip
    file = vcards(contacts, version)
    assert all(len(line) <= 75 for line in file.split(b"\r\n"))
    file.decode()
    found = read(file, piece)
    assert [told(one) for one in found] == [
        (str(name), tuple(map(str, numbers.each)), None if note is None else str(note))
        for name, numbers, note in kept
    ]
    assert not any(one.dropped for one in found)


@settings(max_examples=300, deadline=None)
@given(st.one_of(
    st.binary(max_size=300),
    st.lists(st.sampled_from([
        b"BEGIN:VCARD\n", b"END:VCARD\r", b"FN", b";", b"=", b":", b'"', b"TEL:1\n", b" ", b"\n", b"\0", b"\\",
        b"N:;;;\n",
        b"NOTE;ENCODING=QUOTED-PRINTABLE:=", b"=\n", b"CHARSET=rot13", b"CHARSET=zlib", b"\xff", b"VERSION:2.1\n",
        b"item1.",
    ]), max_size=40).map(b"".join),
), st.integers(1, 50))  # fmt: skip
def test_nothing_that_is_sent_breaks_the_reader(data: bytes, piece: int) -> None:
    assert [f.position for f in read(data, piece)] == [f.position for f in read(data)]


MEGABYTE = 1 << 20
HARM = {
    "a picture of 6 MB, folded": (
        v("3.0", "FN:Noa", "TEL:1", "PHOTO;ENCODING=b:", *[" " + "A" * 74] * (6 * MEGABYTE // 77)), 1),
    "a line of 12 MB": (b"BEGIN:VCARD\nFN:" + b"x" * 12 * MEGABYTE + b"\nTEL:1\nEND:VCARD\n", 1),
    "12 MB of parameters": (b"BEGIN:VCARD\nFN:Noa\nTEL" + b";a=a" * 3 * MEGABYTE + b":1\nEND:VCARD\n", 1),
    "parameters that make others try every way there is": (
        b"BEGIN:VCARD\nFN:Noa\n" + (b"TEL;a" + b"=a" * 9999 + b"\n") * 200 + b"END:VCARD\n", 1),
    "quotes that never end": (b"BEGIN:VCARD\n" + b'TEL;X="' * MEGABYTE + b":1\nEND:VCARD\n", 1),
    "backslashes": (b"BEGIN:VCARD\nTEL:1\nFN:" + b"\\" * 4 * MEGABYTE + b"\nEND:VCARD\n", 1),
    "soft breaks": (b"BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:" + b"=\n" * 100_000 + b"TEL:1\nEND:VCARD\n", 1),
    "beginnings": (b"BEGIN:VCARD\n" * 50_000, 1),
    "NUL": (b"BEGIN:VCARD\nFN:N\0oa\nTEL:\x00+12025550143\nEND:VCARD\n" + b"\0" * 4 * MEGABYTE, 1),
    "notes": (b"BEGIN:VCARD\nFN:N\nTEL:1\n" + (b"NOTE:" + b"x" * 30_000 + b"\n") * 400 + b"END:VCARD\n", 1),
}  # fmt: skip


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM.keys())
def test_harm_is_read_in_bounded_time_and_memory(harm: tuple[bytes, int]) -> None:
    data, cards = harm
    began = time.process_time()
    assert len(read(data)) == cards
    assert time.process_time() - began < 6, "seconds of work for one file"
    tracemalloc.start()
    try:
        read(data)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2 * MEGABYTE, "a file is held"


def test_a_file_of_nothing_but_lines_has_an_end() -> None:
    with pytest.raises(TooManyLines):
        read(b"\n" * 2_000_000)


def test_the_longest_note_fits_on_a_line() -> None:
    note = "\U0001f44b" * ContactNote.LONGEST
    assert len(note.encode()) * 3 < LONGEST_LINE
    quoted = "".join(f"={byte:02X}" for byte in note.encode())
    (found,) = read(v("2.1", "FN:N", "TEL:1", f"NOTE;CHARSET=UTF-8;{QP}:{quoted}"))
    assert told(found) == ("N", ("1",), note)
