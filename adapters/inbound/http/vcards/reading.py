"""From lines to cards: what of a vCard a contact has, and how much of it had to be left out."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from adapters.inbound.http.vcards.lines import Lines
from adapters.inbound.http.vcards.properties import Property
from application.contact_import import FoundCard, SkipReason
from domain.contacts import Card, ContactName, ContactNote, ContactNumbers, InvalidContactNumber, SavedNumber
from domain.text import shown
from domain.values import BREAKS

MOST_LINES_OF_A_CARD = 1000
UNCOUNTED = {"VERSION", "PRODID", "UID", "REV", "N", "PROFILE", "NAME", "SOURCE", "SORT-STRING", "KIND"}
"""What says nothing of a person beside their name."""
EXTENSION = re.compile(r";ext=([0-9]+)", re.IGNORECASE)
CONTEXT = re.compile(r";phone-context=(\+[0-9]+)", re.IGNORECASE)


async def cards_in(chunks: AsyncIterable[bytes]) -> AsyncIterator[FoundCard]:
    """Yield each card of a file as it comes in. Raises TooManyLines, and what `chunks` raises."""
    lines, reader = Lines(), Reader()
    async for chunk in chunks:
        for line in lines.feed(chunk):
            for card in reader.take(line):
                yield card
    for line in lines.end():
        for card in reader.take(line):
            yield card
    for card in reader.end():
        yield card


@dataclass(slots=True)
class Draft:
    """A card as far as it was read."""

    version: str = ""
    names: dict[str, str] = field(default_factory=dict)
    """What could be its name, by property."""
    numbers: dict[str, SavedNumber] = field(default_factory=dict)
    noted: list[str] = field(default_factory=list)
    lines: int = 0
    dropped: int = 0

    def found(self, position: int) -> FoundCard:
        """Return what there is to save, or why there is nothing."""
        name, note = self._name(), self._note()
        if self.lines > MOST_LINES_OF_A_CARD:
            return FoundCard(position, None, SkipReason.TOO_LONG)
        if not self.numbers:
            return FoundCard(position, None, SkipReason.WITHOUT_NUMBER)
        if name is None:
            return FoundCard(position, None, SkipReason.WITHOUT_NAME)
        numbers = list(self.numbers.values())
        self.dropped += max(0, len(numbers) - ContactNumbers.MOST)
        card = Card(name, ContactNumbers.of(numbers[: ContactNumbers.MOST]), note)
        return FoundCard(position, card, dropped=self.dropped)

    def _name(self) -> ContactName | None:
        for of in ("FN", "N", "NICKNAME", "ORG"):
            if name := seen(self.names.get(of, ""), ContactName.LONGEST):
                self.dropped += len(self.names[of].strip()) > ContactName.LONGEST
                return ContactName.parse(name)
        return None

    def _note(self) -> ContactNote | None:
        lines = "\n".join(self.noted).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        text = "\n".join(
            "\t".join(shown(BREAKS.sub("", part)) for part in line.split("\t")) for line in lines
        )
        self.dropped += len(text) > ContactNote.LONGEST
        text = text[: ContactNote.LONGEST]
        return ContactNote.parse(text) if text.strip() else None


class Reader:
    """Puts lines together to cards. A card in a card (AGENT, 2.1) is part of the outer one, and left out."""

    def __init__(self) -> None:
        """Begin before the first card."""
        self._position = self._depth = 0
        self._draft = Draft()

    def take(self, line: bytes) -> Iterator[FoundCard]:
        """Read one more line; yield the card that ends with it."""
        of = Property.of(line)
        if of is None:
            return
        if of.name in {"BEGIN", "END"} and of.raw.strip().upper() == b"VCARD":
            yield from self._bounded(begins=of.name == "BEGIN")
        elif self._depth == 1:
            self._note(of)

    def end(self) -> Iterator[FoundCard]:
        """Yield the card that was not ended when the file was."""
        if self._depth:
            yield FoundCard(self._position, None, SkipReason.CUT_OFF)

    def _bounded(self, *, begins: bool) -> Iterator[FoundCard]:
        if begins:
            self._depth += 1
            if self._depth == 1:
                self._position, self._draft = self._position + 1, Draft()
        elif self._depth:
            self._depth -= 1
            if not self._depth:
                yield self._draft.found(self._position)

    def _note(self, of: Property) -> None:
        draft = self._draft
        draft.lines += 1
        if draft.lines > MOST_LINES_OF_A_CARD:
            return
        if of.is_binary:
            draft.dropped += 1
        elif of.name == "VERSION":
            draft.version = of.text(draft.version).strip()
        elif of.name == "TEL":
            self._add_number(of)
        elif of.name in {"FN", "NICKNAME"}:
            draft.names.setdefault(of.name, of.text(draft.version))
        elif of.name == "N":
            family, given, more, before, after = (*of.parts(draft.version), "", "", "", "", "")[:5]
            draft.names.setdefault("N", " ".join(filter(None, (before, given, more, family, after))))
        elif of.name == "ORG":
            draft.names.setdefault("ORG", ", ".join(filter(None, of.parts(draft.version))))
            draft.dropped += 1
        elif of.name == "NOTE" and sum(map(len, draft.noted)) <= ContactNote.LONGEST:
            draft.noted.append(of.text(draft.version))
        else:
            draft.dropped += of.name not in UNCOUNTED

    def _add_number(self, of: Property) -> None:
        draft = self._draft
        try:
            number = SavedNumber.parse(seen(telephone(of.text(draft.version)), None))
        except InvalidContactNumber:
            draft.dropped += 1
        else:
            draft.numbers.setdefault(number.canonical, number)


def telephone(text: str) -> str:
    """Write a `tel` URI (RFC 3966) as people write numbers; anything else is left as it is."""
    text = text.strip()
    if text[:4].lower() != "tel:":
        return text
    number, semicolon, parameters = unquote(text[4:]).partition(";")
    parameters = semicolon + parameters
    context, extension = CONTEXT.search(parameters), EXTENSION.search(parameters)
    if context and not number.startswith("+"):
        number = context[1] + number
    return f"{number} ext. {extension[1]}" if extension else number


def seen(text: str, longest: int | None) -> str:
    """Return what of a text can be seen, on one line."""
    return shown(" ".join(BREAKS.sub(" ", text).split(" ")).strip()[:longest]).strip()
