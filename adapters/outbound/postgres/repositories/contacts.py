"""Contacts on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.decoding import Rows
from adapters.outbound.postgres.reading import ACCOUNT, AGGREGATES, Read, Reader, owned, whole
from adapters.outbound.postgres.statements import compiled
from application.ports.repositories.contacts import Contacts, Holder
from domain.contacts import Contact, ContactId, ContactName, ContactNumber, ContactNumbers, SavedNumber
from domain.values import Peer

NUMBER_INDEX = "contact_numbers.number"
_C, _NUMBER = (codec(of).table.c for of in (Contact, ContactNumber))
_LIMIT = sa.bindparam("limit", type_=sa.Integer())
_GET = Read.by(Contact, whole(Contact, _C.id == sa.bindparam("id")), "id")
_NEWEST = whole(Contact).order_by(_C.id.desc()).limit(_LIMIT)
_PAGE = Read.by(Contact, _NEWEST, "limit")
_PAGE_BEFORE = Read.by(Contact, _NEWEST.where(_C.id < sa.bindparam("before")), "limit", "before")
_ENTRIES = Read.by(
    ContactNumber, whole(ContactNumber, _NUMBER.contact_id == sa.bindparam("contact_id")), "contact_id"
)
_COUNT = compiled(sa.select(sa.func.count()).where(owned(Contact)), ACCOUNT)
_CONTACTS, _NUMBERS = AGGREGATES[Contact], AGGREGATES[ContactNumber]
_CONTACT = 1 + len(_NUMBERS.columns)


def _of_numbers(*columns: sa.ColumnElement[Any]) -> str:
    joined = codec(ContactNumber).table.join(
        codec(Contact).table, sa.and_(_C.account_id == _NUMBER.account_id, _C.id == _NUMBER.contact_id)
    )
    wanted = _NUMBER.number == sa.any_(sa.bindparam("numbers", type_=postgresql.ARRAY(postgresql.BYTEA())))
    select = sa.select(_NUMBER.number, *columns).select_from(joined)
    return compiled(select.where(owned(ContactNumber), wanted).order_by(_NUMBER.place), ACCOUNT, "numbers")


_HOLDERS = _of_numbers(*_NUMBERS.columns, *_CONTACTS.columns)
_CALLED: Rows[tuple[ContactName | None, ContactNumbers | None]] = Rows(
    codec(Contact), lambda name, numbers: (name, numbers), ("name", "numbers")
)
_NAMES = _of_numbers(*_CALLED.columns)


@dataclass(frozen=True, slots=True)
class PostgresContacts(Contacts):
    """`Contacts` of one unit of work."""

    reader: Reader

    @override
    async def get(self, contact_id: ContactId) -> Contact:
        return await self.reader.one(_GET, contact_id)

    @override
    async def get_even_broken(self, contact_id: ContactId) -> Contact:
        return await self.reader.one(_GET, contact_id, even_broken=True)

    @override
    async def page(self, before: ContactId | None, limit: int) -> list[Contact]:
        if before is None:
            return await self.reader.all(_PAGE, limit, even_broken=True)
        return await self.reader.all(_PAGE_BEFORE, limit, before, even_broken=True)

    @override
    async def holders(self, numbers: Collection[SavedNumber]) -> list[Holder]:
        reader = self.reader
        asked = {reader.keys.account_index(NUMBER_INDEX, number): number for number in numbers}
        rows = await reader.database.fetch(_HOLDERS, reader.account_id, list(asked))
        entry, load = reader.loader(_NUMBERS), reader.loader(_CONTACTS, even_broken=True)
        found, contacts = list[Holder](), dict[ContactId, Contact]()
        for row in rows:
            leads = entry(row[1:_CONTACT])
            if leads.contact_id not in contacts:
                contacts[leads.contact_id] = load(row[_CONTACT:])
            found.append(Holder(asked[row[0]], leads, contacts[leads.contact_id]))
        return found

    @override
    async def names(self, peers: Collection[Peer]) -> dict[Peer, ContactName]:
        reader = self.reader
        indexes = {peer: reader.keys.account_index(NUMBER_INDEX, SavedNumber(peer)) for peer in peers}
        asked = {index: SavedNumber(peer).canonical for peer, index in indexes.items()}
        rows = await reader.database.fetch(_NAMES, reader.account_id, list(asked))
        load, found = _CALLED.loader(reader.keys.cipher, reader.report_broken), dict[bytes, ContactName]()
        for row in rows:
            index, (name, numbers) = row[0], load(row[1:])
            if name is not None and numbers is not None and asked[index] in numbers.canonicals:
                found.setdefault(index, name)
        return {peer: found[index] for peer, index in indexes.items() if index in found}

    @override
    async def entries(self, contact_id: ContactId) -> list[ContactNumber]:
        return await self.reader.all(_ENTRIES, contact_id)

    @override
    async def count(self) -> int:
        (count,) = await self.reader.database.first(_COUNT, self.reader.account_id)
        return int(count)
