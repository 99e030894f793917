"""An address book as one unit of work changes it: cards go in, whoever is there already is known again by number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from application.ports.ids import Ids
from application.ports.numbering import NumberingPlan
from application.ports.repositories.contacts import Holder
from application.ports.store import Tx
from domain.contacts import (
    Card,
    Contact,
    ContactId,
    ContactNumber,
    ContactNumberId,
    ContactNumbers,
    SavedNumber,
)
from domain.kernel import AccountId
from domain.values import Country, Locale


@dataclass(frozen=True, slots=True)
class AddressBook:
    """The contacts that have any of some numbers. What it is told is saved in the unit of work it was opened in."""

    tx: Tx
    ids: Ids
    _contacts: dict[str, list[Contact]] = field(default_factory=lambda: defaultdict(list))
    _entries: dict[tuple[str, ContactId], ContactNumber] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """The next free place at each number."""

    @classmethod
    async def opened(cls, tx: Tx, ids: Ids, numbers: Iterable[SavedNumber]) -> AddressBook:
        """Find who has any of these numbers. No others may be asked for."""
        book = cls(tx, ids)
        distinct = {number.canonical: number for number in numbers}
        for holder in await tx.contacts.holders(distinct.values()):
            book._note(holder)
        return book

    def known(self, card: Card) -> Contact | None:
        """Return the contact that a card is about: it has one of its numbers, and a name that agrees.

        Of several, one that says all of it already, or else one of just that name.
        """
        holders = [one for number in card.numbers.each for one in self._contacts[number.canonical]]
        agreeing = (one for one in holders if one.is_the_one_on(card))
        return min(agreeing, key=lambda one: (not one.says_all_of(card), one.name != card.name), default=None)

    def merge(self, contact: Contact, card: Card, at: datetime) -> None:
        """Have a contact take in a card. Nothing is written when it says nothing new."""
        had = contact.numbers.canonicals
        if contact.take_in(card):
            contact.changed(at)
            self.tx.save(contact)
            self._lead_to(contact, [number for number in card.numbers.each if number.canonical not in had])

    def add(self, account_id: AccountId, card: Card, at: datetime) -> Contact:
        """Return a new contact."""
        contact = Contact(
            account_id=account_id, id=ContactId(self.ids.new()), name=card.name, numbers=card.numbers,
            note=card.note, created_at=at,
        )  # fmt: skip
        contact.changed(at)
        self.tx.save(contact)
        self._lead_to(contact, card.numbers.each)
        return contact

    def renumber(self, contact: Contact, entries: Iterable[ContactNumber]) -> None:
        """Have a contact be found by the numbers that it has now, and no longer by what else led to it."""
        numbers = {number.canonical: number for number in contact.numbers.each}
        kept = {number: entry for number in numbers if (entry := self._entries.get((number, contact.id)))}
        for entry in entries:
            if all(entry.id != other.id for other in kept.values()):
                self.tx.remove(entry)
        self._lead_to(contact, [number for canonical, number in numbers.items() if canonical not in kept])

    def _note(self, holder: Holder) -> None:
        number, entry = holder.number.canonical, holder.entry
        self._contacts[number].append(holder.contact)
        self._entries[number, holder.contact.id] = entry
        self._places[number] = max(self._places[number], entry.place + 1)

    def _lead_to(self, contact: Contact, numbers: Iterable[SavedNumber]) -> None:
        for number in numbers:
            entry_id, place = ContactNumberId(self.ids.random_id()), self._places[number.canonical]
            entry = ContactNumber(
                account_id=contact.account_id, id=entry_id, contact_id=contact.id, number=number, place=place
            )
            self.tx.save(entry)
            self._note(Holder(number, entry, contact))


async def country_of(tx: Tx) -> Country | None:
    """Return the country in which the person's numbers are written, as far as their locale says."""
    locale: Locale | None = (await tx.accounts.get_even_broken()).locale
    region = (locale or "").rpartition("-")[2]
    return Country(region) if len(region) == 2 and region.isupper() else None  # noqa: PLR2004 - ISO 3166-1 alpha-2


def in_e164(plan: NumberingPlan, numbers: ContactNumbers, country: Country | None) -> ContactNumbers:
    """Return the numbers, each in E.164 if it is valid where the person lives, or else as it was."""
    return ContactNumbers.of(SavedNumber(plan.e164(number, country) or number) for number in numbers.each)
