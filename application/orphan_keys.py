"""The use case of destroying keys that belong to nobody: a sign-up was cut off between its key and its row."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from application.credentials import DECOY
from application.ports.directory import Directory
from application.ports.ids import made_at
from application.ports.keyring import Keyring
from application.ports.store import Store
from application.purge import Purge, PurgeResult, purge_each
from domain.audit import HOUSE
from domain.kernel import AccountId, ErrorKind, PicoError

EVERY = timedelta(hours=1)
"""How often all keys are gone through."""
AGE = timedelta(days=1)
"""A key younger than that is nobody's orphan: its row may be on its way."""
PAGE = 1_000
MOST = 20
"""More orphans than that, and than one key in a hundred, are no orphans: the store is another one than it should be."""


class TooManyOrphans(PicoError):
    """So many keys have no account that the store, and not the keyring, must be wrong. No key was destroyed."""

    kind = ErrorKind.BROKEN
    code = "too_many_orphan_keys"


@dataclass(slots=True)
class DestroyOrphanKeys(Purge):
    """Destroys keys older than a day whose account has no row: not the first time that it has none, but the second."""

    name: ClassVar[str] = "orphan_keys"

    keyring: Keyring
    directory: Directory
    store: Store
    suspects: frozenset[AccountId] = field(default=frozenset(), init=False)
    """Who had none when this process looked last."""
    looked_at: datetime | None = field(default=None, init=False)

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Destroy up to `limit`. Raises TooManyOrphans. Repeating is harmless."""
        if self.looked_at is not None and now < self.looked_at + EVERY:
            return PurgeResult(0)
        found, holders = await self._without_account(now)
        before, self.suspects, self.looked_at = self.suspects, frozenset(found), now
        if len(found) > max(MOST, holders // 100):
            raise TooManyOrphans
        return await purge_each([each for each in found if each in before][:limit], self._destroy)

    async def _without_account(self, now: datetime) -> tuple[list[AccountId], int]:
        """Return whose key is old and has no account, and how many keys there are."""
        found: list[AccountId] = []
        holders, after = 0, None
        while page := await self.keyring.holders(after, PAGE):
            unknown = await self.directory.unknown(page)
            found += [each for each in unknown if each not in {DECOY, HOUSE} and made_at(each) + AGE <= now]
            holders, after = holders + len(page), page[-1]
        return found, holders

    async def _destroy(self, account_id: AccountId) -> bool:
        """Destroy one key, unless anything at all is held under that account."""
        if any((await self.store.count_rows(account_id)).values()):
            return False
        return bool(await self.keyring.destroy(account_id))
