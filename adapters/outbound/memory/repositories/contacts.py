"""Contacts in memory."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, newest_first
from application.ports.repositories.contacts import Contacts, Holder
from domain.contacts import Contact, ContactId, ContactName, ContactNumber, SavedNumber
from domain.values import Peer


@dataclass(frozen=True, slots=True)
class MemoryContacts(Contacts):
    """`Contacts` over one account's rows."""

    loaded: Loaded

    @override
    async def get(self, contact_id: ContactId) -> Contact:
        return await self.loaded.one(Contact, contact_id)

    @override
    async def get_even_broken(self, contact_id: ContactId) -> Contact:
        return await self.get(contact_id)

    @override
    async def page(self, before: ContactId | None, limit: int) -> list[Contact]:
        found = await self.loaded.all(Contact, lambda contact: before is None or contact.id < before)
        return newest_first(found)[:limit]

    @override
    async def holders(self, numbers: Collection[SavedNumber]) -> list[Holder]:
        asked = {number.canonical: number for number in numbers}
        rows = [row for row in self.loaded.of(ContactNumber) if row.number and row.number.canonical in asked]
        wanted = {row.contact_id for row in rows}
        contacts = {c.id: c for c in await self.loaded.all(Contact, lambda contact: contact.id in wanted)}
        entries = {e.id: e for e in await self.loaded.all(ContactNumber, lambda entry: entry in rows)}
        return [
            Holder(asked[row.number.canonical], entries[row.id], contacts[row.contact_id])
            for row in sorted(rows, key=lambda row: row.place)
            if row.number
        ]

    @override
    async def names(self, peers: Collection[Peer]) -> dict[Peer, ContactName]:
        numbers = {peer: SavedNumber(peer) for peer in peers}
        holders = await self.holders(numbers.values())
        first = {holder.number.canonical: holder.contact.name for holder in reversed(holders)}
        return {peer: first[of.canonical] for peer, of in numbers.items() if of.canonical in first}

    @override
    async def entries(self, contact_id: ContactId) -> list[ContactNumber]:
        return await self.loaded.all(ContactNumber, lambda entry: entry.contact_id == contact_id)

    @override
    async def count(self) -> int:
        await self.loaded.answer()
        return len(list(self.loaded.of(Contact)))
