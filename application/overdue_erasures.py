"""The use case of finding an erasure that nothing in the store tells of any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from application.erasure import BeginErasures
from application.ports.keyring import Keyring
from application.ports.ledger import ErasureLedger, Fingerprint
from application.purge import Purge, PurgeResult, purge_each
from domain.kernel import AccountId

LATE = timedelta(hours=1)
"""After its time an erasure begins within a minute. Whether one did not is asked once in so long."""
PAGE = 1_000
"""Accounts whose ids are read at a time."""


@dataclass(slots=True)
class BeginOverdueErasures(Purge):
    """Begins erasures that the erasure ledger knows to be late: the account's row does not say so, or no longer.

    The ledger knows accounts by fingerprint only. So those who have a key are gone through, and only while one is late.
    """

    name: ClassVar[str] = "accounts_overdue"

    begin_erasures: BeginErasures
    keyring: Keyring
    ledger: ErasureLedger
    fingerprint: Fingerprint
    asked_at: datetime | None = field(default=None, init=False)
    """When this process asked last."""

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Begin up to `limit` of them. Repeating is harmless."""
        if self.asked_at is not None and now < self.asked_at + LATE:
            return PurgeResult(0)
        late, self.asked_at = await self.ledger.overdue(now - LATE), now
        found = await self._known_by(late) if late else []

        async def begin(account_id: AccountId) -> bool:
            return await self.begin_erasures.begin(account_id, now)

        return await purge_each(found[:limit], begin)

    async def _known_by(self, fingerprints: frozenset[bytes]) -> list[AccountId]:
        found: list[AccountId] = []
        after: AccountId | None = None
        while page := await self.keyring.holders(after, PAGE):
            found += [account_id for account_id in page if await self.fingerprint(account_id) in fingerprints]
            after = page[-1]
        return found
