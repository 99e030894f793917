"""The one address that outlives its account, for one mail: sealed under a key of its own, and gone within two days."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from application.orphan_keys import AGE
from application.ports.ids import EPOCH, MILLISECOND
from application.ports.keyring import KeyGone, Keyring
from application.ports.ledger import Fingerprint
from application.ports.objects import Objects
from domain.erasure import Erasure, NotYetGone
from domain.kernel import AccountId, NotFound, ObjectId, SealBroken
from domain.values import Email, Locale

LONGEST = timedelta(hours=42)
"""After the erasure began: it looks every six hours at the latest, and so drops the address within two days."""
VERSION_7, ANY = 7 << 76 | 2 << 62, (1 << 76) - 1 & ~(3 << 62)
"""What is fixed of an id (RFC 9562, 5.7), and what beside its time is free."""
PLACE = ObjectId(UUID(int=0))


class Kept(NamedTuple):
    """To whom, and in which language."""

    email: Email
    locale: Locale


@dataclass(frozen=True, slots=True)
class KeptAddress:
    """Keeps it among the objects, under an id of nobody's: in no row, and so in no backup of rows.

    The id follows from the erasure's fingerprint, and says of itself that it is as old as makes its key an orphan when
    its time is over: what no erasure drops any more, `DestroyOrphanKeys` does.
    """

    keyring: Keyring
    objects: Objects
    fingerprint: Fingerprint

    def is_over(self, erasure: Erasure, now: datetime) -> bool:
        """Tell whether its time is over, whatever was done with it."""
        return now >= erasure.began_at + LONGEST

    async def put(self, erasure: Erasure, kept: Kept) -> None:
        """Keep it. Raises KeysUnavailable, ObjectsUnavailable. Repeating is harmless."""

        async def content() -> AsyncIterator[bytes]:
            yield json.dumps([kept.email, kept.locale]).encode()

        holder = await self.holder(erasure)
        await self.keyring.create(holder)
        await self.objects.put(holder, PLACE, content())

    async def find(self, erasure: Erasure) -> Kept | None:
        """Return it, if there is one that can be read. Raises KeysUnavailable, ObjectsUnavailable. Repeatable."""
        try:
            async with self.objects.open(await self.holder(erasure), PLACE) as found:
                email, locale = json.loads(b"".join([piece async for piece in found.read()]))
        except (KeyGone, NotFound, SealBroken):
            return None
        return Kept(Email(email), Locale(locale))

    async def drop(self, erasure: Erasure) -> None:
        """Destroy the key and what it sealed, and look for both. Raises NotYetGone, as above. Repeating is harmless."""
        holder = await self.holder(erasure)
        await self.keyring.destroy(holder)
        await self.objects.delete_all(holder)
        if await self.keyring.count(holder) or await self.objects.count(holder):
            raise NotYetGone

    async def holder(self, erasure: Erasure) -> AccountId:
        """Return the id under which it lies. Raises KeysUnavailable."""
        named = int.from_bytes((await self.fingerprint(erasure.account_id))[:10], "big")
        made = (erasure.began_at + LONGEST - AGE - EPOCH) // MILLISECOND
        return AccountId(UUID(int=made << 80 | VERSION_7 | named & ANY))
