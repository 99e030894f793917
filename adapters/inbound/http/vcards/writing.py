"""From contacts to vCards that any address book reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from domain.contacts import Contact

WIDTH = 75
"""Bytes of a line, its end not counted (RFC 6350, 3.2)."""


class VCardVersion(StrEnum):
    """Which vCard: 3.0 is read everywhere, 4.0 by what is newer."""

    THREE = "3.0"
    FOUR = "4.0"


def vcards(contacts: Iterable[Contact], version: VCardVersion) -> bytes:
    """Write contacts, each whole; one that cannot be read whole is left out."""
    lines = (line for contact in contacts if not contact.unreadable for line in _lines(contact, version))
    return b"".join(_folded(line.encode()) for line in lines)


def _lines(contact: Contact, version: VCardVersion) -> Iterator[str]:
    yield "BEGIN:VCARD"
    yield f"VERSION:{version}"
    name = _escaped(contact.name)
    yield f"N:;{name};;;"
    yield f"FN:{name}"
    for number in contact.numbers.each:
        yield f"TEL:{_escaped(number)}"
    if contact.note is not None:
        yield f"NOTE:{_escaped(contact.note)}"
    yield "END:VCARD"


def _escaped(text: str) -> str:
    """Escape a value (RFC 2426, 2.4.2; RFC 6350, 3.4)."""
    for plain, escaped in (("\\", "\\\\"), ("\n", "\\n"), (",", "\\,"), (";", "\\;")):
        text = text.replace(plain, escaped)
    return text


def _folded(line: bytes) -> bytes:
    """Fold a line where no character is split."""
    pieces, width = [], WIDTH
    while len(line) > width:
        cut = width
        while line[cut] & 0xC0 == 0x80:  # noqa: PLR2004 - inside a character of UTF-8
            cut -= 1
        pieces.append(line[:cut])
        line, width = line[cut:], WIDTH - 1
    return b"\r\n ".join((*pieces, line)) + b"\r\n"
