"""The address book: whom the person knows, under which numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, ClassVar, NewType, Self
from uuid import UUID

from domain.classification import IndexScope, held
from domain.kernel import AccountId, Aggregate, ErrorKind, Event, PicoError
from domain.text import shown
from domain.values import PersonalText

ContactId = NewType("ContactId", UUID)
ContactNumberId = NewType("ContactNumberId", UUID)

MOST_CONTACTS = 10_000
"""In one account."""
SEPARATORS = re.compile(r"[\s().\-/\u2010-\u2015]")
"""What people put between digits to read them by."""
DIGIT = re.compile(r"\d")


class TooManyContacts(PicoError):
    """An account has at most 10,000 contacts."""

    kind = ErrorKind.CONFLICT
    code = "too_many_contacts"


class InvalidContactName(PicoError):
    """A contact's name has 1 to 128 characters that can be seen, and no blank at either end."""

    code = "invalid_contact_name"


class ContactName(PersonalText):
    """What the person calls a contact."""

    __slots__ = ()
    LONGEST = 128

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the name; raises InvalidContactName."""
        if not 1 <= len(text) <= cls.LONGEST or text.strip() != text or shown(text) != text:
            raise InvalidContactName
        return cls(text)

    def agrees_with(self, other: ContactName) -> bool:
        """Tell whether two names can be one person's: each word of one is a word of the other."""
        mine, theirs = _words(self), _words(other)
        return mine <= theirs or theirs <= mine


def _words(name: str) -> frozenset[str]:
    return frozenset(unicodedata.normalize("NFKC", name).casefold().split())


class InvalidContactNumber(PicoError):
    """A contact's number has 1 to 40 characters that can be seen, a digit among them, and no blank at either end."""

    code = "invalid_contact_number"


class SavedNumber(PersonalText):
    """A number as a contact has it: E.164 where it is valid, otherwise as somebody wrote it."""

    __slots__ = ()
    LONGEST = 40

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the number as it is written; raises InvalidContactNumber."""
        if (
            not 1 <= len(text) <= cls.LONGEST
            or text.strip() != text
            or shown(text) != text
            or not DIGIT.search(text)
        ):
            raise InvalidContactNumber
        return cls(text)

    @property
    def canonical(self) -> str:
        """Without what only helps to read it."""
        return SEPARATORS.sub("", self)


class InvalidContactNumbers(PicoError):
    """A contact has 1 to 20 numbers."""

    code = "invalid_contact_numbers"


class ContactNumbers(PersonalText):
    """A contact's numbers in the person's order, a line each, no two the same."""

    __slots__ = ()
    MOST = 20

    @classmethod
    def of(cls, numbers: Iterable[SavedNumber]) -> Self:
        """Put numbers together; one that comes again is left out. Raises InvalidContactNumbers."""
        distinct: dict[str, SavedNumber] = {}
        for number in numbers:
            distinct.setdefault(number.canonical, number)
        if not 1 <= len(distinct) <= cls.MOST:
            raise InvalidContactNumbers
        return cls("\n".join(distinct.values()))

    @property
    def each(self) -> tuple[SavedNumber, ...]:
        """The numbers one by one."""
        return tuple(map(SavedNumber, self.split("\n")))

    @property
    def canonicals(self) -> frozenset[str]:
        """The forms under which they are the same as others."""
        return frozenset(number.canonical for number in self.each)


class InvalidContactNote(PicoError):
    """A note has 1 to 2000 characters: lines, tabs and what can be seen."""

    code = "invalid_contact_note"


class ContactNote(PersonalText):
    """What the person noted about a contact."""

    __slots__ = ()
    LONGEST = 2000

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the note, its lines ended by a line feed each; raises InvalidContactNote."""
        note = text.replace("\r\n", "\n").replace("\r", "\n")
        seen = note.replace("\n", "").replace("\t", "")
        if not 1 <= len(note) <= cls.LONGEST or not note.strip() or shown(seen) != seen:
            raise InvalidContactNote
        return cls(note)


@dataclass(frozen=True, slots=True)
class Card:
    """What somebody wants to have saved of a contact."""

    name: ContactName
    numbers: ContactNumbers
    note: ContactNote | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged(Event):
    """A contact is new, or says something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDeleted(Event):
    """A contact is gone."""


@dataclass(slots=True, kw_only=True)
class Contact(Aggregate):
    """Somebody the person knows."""

    stored_as: ClassVar[str] = "contacts"
    clause: ClassVar[str] = "C11"

    account_id: AccountId
    id: ContactId
    name: ContactName
    numbers: ContactNumbers
    note: ContactNote | None = None
    created_at: datetime

    def changed(self, at: datetime) -> None:
        """Note that it is new, or says something else."""
        self.record(ContactChanged(account_id=self.account_id, subject=self.id, at=at))

    def deleted(self, at: datetime) -> None:
        """Note that it goes."""
        self.record(ContactDeleted(account_id=self.account_id, subject=self.id, at=at))

    def is_the_one_on(self, card: Card) -> bool:
        """Tell whether a card that has one of its numbers is about the same person, and fits in without loss."""
        if self.unreadable or not self.name.agrees_with(card.name):
            return False
        together = self.numbers.canonicals | card.numbers.canonicals
        return (
            len(together) <= ContactNumbers.MOST and len(self._with_note(card) or "") <= ContactNote.LONGEST
        )

    def take_in(self, card: Card) -> bool:
        """Add what a card says besides; tell whether it said more. The fuller name stays. Repeating is harmless."""
        before = self.name, self.numbers, self.note
        self.name = max(self.name, card.name, key=lambda name: (len(_words(name)), len(name)))
        self.numbers = ContactNumbers.of((*self.numbers.each, *card.numbers.each))
        self.note = self._with_note(card)
        return (self.name, self.numbers, self.note) != before

    def says_all_of(self, card: Card) -> bool:
        """Tell whether a card that it could take in says nothing new."""
        return not replace(self).take_in(card)

    def correct(
        self, name: ContactName | None, numbers: ContactNumbers | None, note: ContactNote | None
    ) -> None:
        """Change what is given, and leave the rest; an empty note takes the note away."""
        self.name, self.numbers = name or self.name, numbers or self.numbers
        if note is not None:
            self.note = note or None
        given = {"name": name, "numbers": numbers, "note": note}
        self.unreadable -= {field for field, value in given.items() if value is not None}

    def _with_note(self, card: Card) -> ContactNote | None:
        if self.note is None or card.note is None:
            return self.note or card.note
        return self.note if card.note in self.note else ContactNote(f"{self.note}\n{card.note}")


@dataclass(slots=True, kw_only=True)
class ContactNumber(Aggregate):
    """By which number a contact is found: a blind index only. The number itself stands in the contact.

    Several contacts may share a number, a home's for instance. Each has a `place` of its own there, and the lowest
    says whose name a conversation shows.
    """

    stored_as: ClassVar[str] = "contact_numbers"
    clause: ClassVar[str] = "C11"

    account_id: AccountId
    id: ContactNumberId
    contact_id: ContactId
    number: Annotated[SavedNumber | None, held(index=IndexScope.ACCOUNT, readable=False)] = None
    place: Annotated[int, held(exported=False)] = 0
