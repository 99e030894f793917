"""Use cases of the address book: add, read, correct, delete."""

from __future__ import annotations

from dataclasses import dataclass, replace

from application.address_book import AddressBook, country_of, in_e164
from application.paging import Page
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.numbering import NumberingPlan
from application.ports.store import Store, Tx
from domain.contacts import (
    MOST_CONTACTS,
    Card,
    Contact,
    ContactId,
    ContactName,
    ContactNote,
    ContactNumbers,
    TooManyContacts,
)
from domain.idempotency import Operation
from domain.kernel import AccountId
from domain.retention import Retention


@dataclass(frozen=True, slots=True)
class Saved:
    """A contact that was saved, by this request or, if `repeated`, by an earlier one with the same key."""

    contact: Contact
    repeated: bool


@dataclass(frozen=True, slots=True)
class AddContact:
    """Adds a contact, or adds to the one that is there already."""

    store: Store
    clock: Clock
    ids: Ids
    retention: Retention
    plan: NumberingPlan

    async def __call__(self, account_id: AccountId, card: Card, key: str) -> Saved:
        """Return the contact, its numbers in E.164 where they are valid. Repeating with the same key is harmless.

        A card with a number of a contact whose name agrees is merged into that one. Raises TooManyContacts,
        IdempotencyMismatch, NotFound if what an earlier request added is deleted.
        """
        operation = Operation.requested("add-contact", key, card.name, card.numbers, card.note or "")

        async def change(tx: Tx) -> Saved:
            earlier = await tx.idempotency.earlier_result(operation)
            if earlier is not None:
                return Saved(await tx.contacts.get(ContactId(earlier.must_match())), repeated=True)
            now = self.clock.now()
            numbers = in_e164(self.plan, card.numbers, await country_of(tx))
            book = await AddressBook.opened(tx, self.ids, numbers.each)
            new = replace(card, numbers=numbers)
            if (contact := book.known(new)) is not None:
                book.merge(contact, new, now)
            elif await tx.contacts.count() < MOST_CONTACTS:
                contact = book.add(account_id, new, now)
            else:
                raise TooManyContacts
            tx.idempotent(operation, contact.id, self.retention.idempotency.ends(now))
            return Saved(contact, repeated=False)

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ListContacts:
    """Pages through contacts, newest first."""

    store: Store

    async def __call__(
        self, account_id: AccountId, before: ContactId | None, limit: int
    ) -> Page[Contact, ContactId]:
        """Return a page of up to `limit`. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            found = await tx.contacts.page(before, limit + 1)
        items = found[:limit]
        return Page(items, items[-1].id if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class ReadContact:
    """Shows one contact."""

    store: Store

    async def __call__(self, account_id: AccountId, contact_id: ContactId) -> Contact:
        """Return it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.contacts.get_even_broken(contact_id)


@dataclass(frozen=True, slots=True)
class Correction:
    """What to change of a contact. None leaves a field as it is; an empty note takes the note away."""

    name: ContactName | None = None
    numbers: ContactNumbers | None = None
    note: ContactNote | None = None


@dataclass(frozen=True, slots=True)
class ChangeContact:
    """Corrects a contact."""

    store: Store
    clock: Clock
    ids: Ids
    plan: NumberingPlan

    async def __call__(
        self,
        account_id: AccountId,
        contact_id: ContactId,
        correction: Correction,
        versions: frozenset[int] | None = None,
    ) -> Contact:
        """Return the corrected contact. Repeating is harmless.

        Raises NotFound; ChangedMeanwhile unless it is at one of `versions`, where some are named.
        """

        async def change(tx: Tx) -> Contact:
            contact = await tx.contacts.get_even_broken(contact_id)
            contact.must_be_one_of(versions)
            numbers = correction.numbers
            if numbers is not None:
                numbers = in_e164(self.plan, numbers, await country_of(tx))
            contact.correct(correction.name, numbers, correction.note)
            contact.changed(self.clock.now())
            tx.save(contact)
            if numbers is not None:
                book = await AddressBook.opened(tx, self.ids, numbers.each)
                book.renumber(contact, await tx.contacts.entries(contact_id))
            return contact

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class DeleteContact:
    """Deletes a contact. Messages stay, and show the number again."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, contact_id: ContactId) -> None:
        """Delete it. Raises NotFound, also when repeated."""

        async def change(tx: Tx) -> None:
            contact = await tx.contacts.get_even_broken(contact_id)
            contact.deleted(self.clock.now())
            tx.remove(contact)
            for entry in await tx.contacts.entries(contact_id):
                tx.remove(entry)

        await self.store.update(account_id, change)
