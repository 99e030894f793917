"""What we keep of an address book: sealed, and found by keyed fingerprints only."""

from __future__ import annotations

from functools import partial
from typing import Any

from adapters.outbound.postgres.sealing import AccountCipher, blind_index
from application.contacts import AddContact, Saved
from application.ports.store import Tx
from domain.contacts import Card, ContactName, ContactNumber, ContactNumbers, SavedNumber
from domain.kernel import AccountId
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


@proves("C11", text="5093d10a055c", saboteur=in_clear("contacts.name"), says="a contact lies in clear")
@proves("C11", text="5093d10a055c", saboteur=in_clear("contacts.numbers"), says="a contact lies in clear")
@proves("C11", text="5093d10a055c", saboteur=in_clear("contacts.note"), says="a contact lies in clear")
@proves(
    "C11", text="5093d10a055c", saboteur=finds_contacts_without_a_key, says="a contact is found without a key"
)
@proves(
    "C11", text="5093d10a055c", saboteur=has_one_key_for_all, says="two accounts' contacts can be compared"
)
@proves("C11", text="5093d10a055c", saboteur=leads_nowhere, says="a number does not lead to its contact")
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
