"""The use case of giving an account another key, while the account is in use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.ports.clock import Clock
from application.ports.keyring import KeyGone, Keyring
from application.ports.objects import Objects
from application.ports.resealing import Resealing
from application.ports.store import Store, Tx
from application.voicemail_audio import BACKSTOP
from domain.audit import AuditKind
from domain.kernel import AccountId, ErrorKind, NotFound, ObjectId, PicoError, SealBroken
from domain.voicemail import Voicemail

AT_ONCE = 200
PAGE = 500


class NotHeardYet(PicoError):
    """The key is new: for some minutes another process may not know of it."""

    kind = ErrorKind.UNAVAILABLE
    code = "key_not_heard_yet"

    retry_after: timedelta

    def __init__(self, after: timedelta) -> None:
        """Say when every process will know of it."""
        super().__init__()
        self.retry_after = after


@dataclass(frozen=True, slots=True)
class Rotated:
    """What came under the new key, and what did not open under any."""

    rows: int = 0
    objects: int = 0
    broken: int = 0


@dataclass(frozen=True, slots=True)
class RotateAccountKey:
    """Gives an account another key: cells, objects and blind indexes come under it, and the former key is destroyed.

    It is resumed by what is left, wherever it was cut off; meanwhile both keys open what is sealed.
    """

    store: Store
    keyring: Keyring
    resealing: Resealing
    objects: Objects
    clock: Clock

    async def begin(self, account_id: AccountId) -> None:
        """Make the new key. Raises KeyGone, and NotFound for an account without a row. Repeating is harmless."""
        if (await self.keyring.reopen(account_id)).former is not None:
            return

        async def change(tx: Tx) -> None:
            await tx.accounts.get_even_broken()
            tx.note(AuditKind.ACCOUNT_KEY_ROTATED, account_id, self.clock.now())

        await self.store.update(account_id, change)
        await self.keyring.add(account_id)

    async def finish(self, account_id: AccountId) -> Rotated:
        """Bring everything under the new key, and destroy the former. Repeating is harmless.

        Raises NotHeardYet, with how long to wait; KeyGone, and NotFound for an account that is erased meanwhile.
        """
        if (await self.keyring.reopen(account_id)).former is None:
            return Rotated()
        if wait := await self.keyring.unheard(account_id):
            raise NotHeardYet(wait)
        await self.resealing.turn(account_id)
        rows = broken = 0
        while True:
            found = await self.resealing.reseal(account_id, AT_ONCE)
            rows, broken = rows + found.done, found.broken
            if not found.done and not found.missed:
                break
        objects = 0
        async for object_id in self.objects.list_all(account_id):
            try:
                objects += await self._reseal(account_id, object_id)
            except SealBroken:
                broken += 1
        await self.keyring.finish(account_id)
        return Rotated(rows, objects, broken)

    async def _reseal(self, account_id: AccountId, object_id: ObjectId) -> bool:
        """Seal an object anew. One that is deleted at this very moment stays deleted, whoever dies meanwhile.

        Whoever deletes one says so in its record first: so what no record wants any more goes.
        """
        anew = False
        if (holder := await self.resealing.holder(account_id, object_id)) is not None:
            days = BACKSTOP if holder is Voicemail else None
            try:
                anew = await self.objects.reseal(account_id, object_id, days=days)
            except NotFound:
                return False
        if holder is None or await self.resealing.holder(account_id, object_id) is None:
            await self.objects.delete(account_id, object_id)
        return anew

    async def older(self, than: datetime) -> AsyncIterator[AccountId]:
        """Yield every account whose key was made before an instant, or whose rotation was cut off."""
        after = None
        while page := await self.keyring.older(than, after, PAGE):
            for account_id in page:
                yield account_id
            after = page[-1]

    async def begin_all(self, than: datetime) -> list[AccountId]:
        """Make new keys for all of these; return them. Whoever is erased meanwhile is left out. Repeatable."""
        begun = []
        async for account_id in self.older(than):
            try:
                await self.begin(account_id)
            except (KeyGone, NotFound):
                continue
            begun.append(account_id)
        return begun
