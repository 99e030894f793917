"""Promises about contacts: found by number, in order of place, and paged newest first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from application.ports.store import VersionConflict
from domain.contacts import ContactId, ContactName, SavedNumber
from domain.values import Peer
from tests.contract.store.world import World

HOME = "+972 3-123-4567"


class ContactPromises:
    async def test_whoever_has_a_number_is_found_by_it_in_order_of_place(self, world: World) -> None:
        account_id = await world.account()
        dad, mum = world.new_contact(account_id, HOME, "*2700"), world.new_contact(account_id, HOME)
        stranger = world.new_contact(account_id)
        leading = [*world.leading_to(mum), *world.leading_to(dad, place=1), *world.leading_to(stranger)]
        await world.commit(account_id, dad, mum, stranger, *leading)
        asked = [SavedNumber(number) for number in ("+97231234567", "*2700", "+15550000000")]
        async with world.store.begin(account_id) as tx:
            found = await tx.contacts.holders(asked)
            assert [(of.number, of.contact.id, of.entry.place) for of in found if of.number == asked[0]] == [
                (asked[0], mum.id, 0), (asked[0], dad.id, 1),
            ]  # fmt: skip
            (other,) = (of for of in found if of.number == asked[1])
            assert other.contact is found[-1].contact or other.contact is found[-2].contact, "one object each"
            assert other.contact.numbers == dad.numbers
            assert {entry.id for entry in await tx.contacts.entries(dad.id)} == {
                of.entry.id for of in found if of.contact.id == dad.id
            }
            assert await tx.contacts.holders([]) == []

    async def test_a_place_at_a_number_is_taken_once_until_it_is_free(self, world: World) -> None:
        account_id = await world.account()
        mum, dad = world.new_contact(account_id, HOME), world.new_contact(account_id, HOME)
        await world.commit(account_id, mum, *world.leading_to(mum))
        with pytest.raises(VersionConflict):
            await world.commit(account_id, dad, *world.leading_to(dad))
        async with world.store.begin(account_id) as tx:
            assert await tx.contacts.count() == 1
            for entry in await tx.contacts.entries(mum.id):
                tx.remove(entry)
            tx.save(dad)
            for entry in world.leading_to(dad):
                tx.save(entry)
        async with world.store.begin(account_id) as tx:
            assert [of.contact.id for of in await tx.contacts.holders([SavedNumber(HOME)])] == [dad.id]
            assert await tx.contacts.count() == 2

    async def test_contacts_come_in_pages_newest_first(self, world: World) -> None:
        account_id = await world.account()
        made = [world.new_contact(account_id) for _ in range(5)]
        await world.commit(account_id, *made)
        newest_first = [contact.id for contact in reversed(made)]
        for limit in (1, 2, 5, 9):
            seen: list[ContactId] = []
            async with world.store.begin(account_id) as tx:
                while page := await tx.contacts.page(seen[-1] if seen else None, limit):
                    seen += [contact.id for contact in page]
            assert seen == newest_first

    async def test_a_number_is_nobodys_in_another_account(self, world: World) -> None:
        one, two = await world.account(), await world.account()
        for account_id in (one, two):
            contact = world.new_contact(account_id, HOME)
            await world.commit(account_id, contact, *world.leading_to(contact))
        async with world.store.begin(one) as tx:
            assert {of.contact.account_id for of in await tx.contacts.holders([SavedNumber(HOME)])} == {one}

    async def test_a_peer_is_called_as_the_first_contact_with_its_number(self, world: World) -> None:
        account_id = await world.account()
        mum = replace(world.new_contact(account_id, "+972 3 123 4567"), name=ContactName("Mum"))
        dad = replace(world.new_contact(account_id, "+97231234567", "27000"), name=ContactName("Dad"))
        leading = [*world.leading_to(mum, place=3), *world.leading_to(dad, place=5)]
        await world.commit(account_id, mum, dad, *leading)
        home, short, bank = Peer("+97231234567"), Peer("27000"), Peer("BANK")
        async with world.store.begin(account_id) as tx:
            assert await tx.contacts.names([home, short, bank]) == {home: "Mum", short: "Dad"}
            assert await tx.contacts.names([bank]) == {}
