"""What we keep of an address book: sealed, and found by keyed fingerprints only."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any

from adapters.inbound.http.vcards.reading import cards_in
from adapters.outbound.postgres.sealing import AccountCipher, blind_index
from application.contact_import import FoundCard, ImportContacts, ImportReport
from application.contacts import AddContact, Saved
from application.ports.store import Tx
from domain.contacts import Card, ContactName, ContactNote, ContactNumber, ContactNumbers, SavedNumber
from domain.kernel import AccountId
from domain.values import Country
from tests.contract.proofs.test_collected import guesses, has_one_key_for_all
from tests.support.canary_account import lived
from tests.support.harness import Databases, in_clear, with_cipher
from tests.support.proofs import proves


class KnownToAll(AccountCipher):
    """Makes fingerprints under a key that everybody knows."""

    def blind_index(self, purpose: str, value: bytes) -> bytes:
        return blind_index(bytes(32), purpose, value)


def finds_contacts_without_a_key(stored: Databases) -> Databases:
    return with_cipher(KnownToAll, stored)


class LeadsNowhere(AddContact):
    """Saves a contact that nothing leads to."""

    async def __call__(self, account_id: AccountId, card: Card, key: str) -> Saved:
        saved = await super().__call__(account_id, card, key)

        async def change(tx: Tx) -> None:
            for entry in await tx.contacts.entries(saved.contact.id):
                tx.remove(entry)

        await self.store.update(account_id, change)
        return saved


def leads_nowhere(stored: Databases) -> Databases:
    return partial(stored, add_contact=LeadsNowhere)


@proves("C11", text="0ef7f24fdd94", saboteur=in_clear("contacts.name"), says="a contact lies in clear")
@proves("C11", text="0ef7f24fdd94", saboteur=in_clear("contacts.numbers"), says="a contact lies in clear")
@proves("C11", text="0ef7f24fdd94", saboteur=in_clear("contacts.note"), says="a contact lies in clear")
@proves(
    "C11", text="0ef7f24fdd94", saboteur=finds_contacts_without_a_key, says="a contact is found without a key"
)
@proves(
    "C11", text="0ef7f24fdd94", saboteur=has_one_key_for_all, says="two accounts' contacts can be compared"
)
@proves("C11", text="0ef7f24fdd94", saboteur=leads_nowhere, says="a number does not lead to its contact")
async def test_contacts_are_kept_encrypted_and_found_under_the_accounts_own_key(stored: Databases) -> None:
    async with stored() as world:
        ada, boris = await lived(world), await lived(world)
        await world.use_cases.add_contact(
            boris.id, Card(ContactName("N"), ContactNumbers.of([SavedNumber(ada.peer)])), "same"
        )
        assert await world.traces(ada.known_as, ada.peer, ada.noted) == set(), "a contact lies in clear"
        mine = await found(world, ada.id)
        assert not mine & guesses("contact_numbers.number", ada.peer), "a contact is found without a key"
        assert not mine & await found(world, boris.id), "two accounts' contacts can be compared"
        async with world.store.begin(ada.id) as tx:
            led_to = await tx.contacts.holders([SavedNumber(ada.peer)])
        assert [of.contact.name for of in led_to] == [ada.known_as], "a number does not lead to its contact"
        assert led_to[0].contact.note == ada.noted


async def found(world: Any, account_id: AccountId) -> set[bytes]:
    """Return the fingerprints by which an account's contacts are found."""
    rows = await world.rows(ContactNumber.stored_as, account_id=account_id)
    return {row["number"] for row in rows}


class KeepsTheRest(ImportContacts):
    """Thinks that what does not fit may be noted."""

    async def __call__(
        self, account_id: AccountId, cards: AsyncIterable[FoundCard], country: Country | None
    ) -> ImportReport:
        async def noted() -> AsyncIterator[FoundCard]:
            async for found in cards:
                card = found.card
                yield (
                    found
                    if card is None
                    else replace(found, card=replace(card, note=ContactNote("noa@somewhere.example")))
                )

        return await super().__call__(account_id, noted(), country)


def keeps_the_rest(stored: Databases) -> Databases:
    return partial(stored, import_contacts=KeepsTheRest)


FILE = """BEGIN:VCARD
VERSION:3.0
FN:Noa
TEL:+12025550143
EMAIL:noa@somewhere.example
ADR;TYPE=HOME:;;7 Hidden Lane;Nowhere;;;
BDAY:1907-12-09
X-SOCIALPROFILE:hidden.profile.example
END:VCARD
"""
ELSE = ("noa@somewhere.example", "7 Hidden Lane", "1907-12-09", "hidden.profile.example")


@proves("C11", text="0ef7f24fdd94", saboteur=keeps_the_rest, says="something else of a file is kept")
async def test_of_a_file_of_contacts_nothing_but_names_numbers_and_notes_is_kept(stored: Databases) -> None:
    async def arriving() -> AsyncIterator[bytes]:
        yield FILE.encode()

    async with stored() as world:
        ada = await lived(world)
        report = await world.use_cases.import_contacts(ada.id, cards_in(arriving()), None)
        assert (report.added, report.dropped) == (1, 4)
        everything = await world.opened(ada.id)
        assert "+12025550143" in everything
        assert not [value for value in ELSE if value in everything], "something else of a file is kept"
        assert await world.traces(*ELSE) == set()
