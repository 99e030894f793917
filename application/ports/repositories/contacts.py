"""Reading contacts."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, Protocol

from domain.contacts import Contact, ContactId, ContactName, ContactNumber, SavedNumber
from domain.values import Peer


class Holder(NamedTuple):
    """A contact that has a number, and what leads to it there."""

    number: SavedNumber
    entry: ContactNumber
    contact: Contact
    """Broken or not. A contact that has several of the numbers asked for is one object."""


class Contacts(Protocol):
    """The account's contacts."""

    async def get(self, contact_id: ContactId) -> Contact:
        """Return one contact. Raises NotFound."""
        ...

    async def get_even_broken(self, contact_id: ContactId) -> Contact:
        """Return one contact, broken or not. Raises NotFound."""
        ...

    async def page(self, before: ContactId | None, limit: int) -> list[Contact]:
        """Return up to `limit` contacts, broken ones too, newest first, from just before the given one on."""
        ...

    async def holders(self, numbers: Collection[SavedNumber]) -> list[Holder]:
        """Return who has any of these numbers, by place."""
        ...

    async def names(self, peers: Collection[Peer]) -> dict[Peer, ContactName]:
        """Return what the first contact with each of these numbers is called. One that cannot be read has no name."""
        ...

    async def entries(self, contact_id: ContactId) -> list[ContactNumber]:
        """Return all that leads to a contact."""
        ...

    async def count(self) -> int:
        """Return how many contacts there are."""
        ...
