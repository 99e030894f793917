"""The use case of keeping nothing too long: one sweep over everything that falls due by the clock."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field

from application.erasure import EraseAccount
from application.exports import ExpireExport
from application.ports.jobs import Queue
from application.ports.store import Directory, Store
from application.ports.system import Clock
from domain.kernel import PicoError
from domain.retention import Retention, cutoff

BATCH = 500
"""Most records of one kind that a single sweep takes: the next sweep, seconds later, takes the rest."""


@dataclass(slots=True)
class SweepResult:
    """What one sweep did. `failed` counts by code the accounts that could not be finished yet."""

    accounts: int = 0
    sessions: int = 0
    idempotency_records: int = 0
    exports: int = 0
    failed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Erase, purge and expire what is due now. The scheduler runs it every few seconds."""

    store: Store
    directory: Directory
    queue: Queue
    clock: Clock
    retention: Retention
    erase_account: EraseAccount
    expire_export: ExpireExport

    async def __call__(self) -> SweepResult:
        """Do it, first what needs no provider. An account that cannot be finished holds up no other. Repeatable."""
        now, keep, swept = self.clock.now(), self.retention, SweepResult()
        swept.sessions = await self.store.purge_sessions(cutoff(now, keep.revoked_session), BATCH)
        swept.idempotency_records = await self.store.purge_idempotency_records(now, BATCH)
        for account_id, export_id in await self.directory.exports_to_expire(now, BATCH):
            swept.exports += await self.attempt(self.expire_export(account_id, export_id), swept)
        await self.queue.purge_log(keep.job_log)
        due = await self.directory.accounts_to_erase(now, cutoff(now, keep.unverified), BATCH)
        # All of them are begun before any is finished: a long erasure does not keep the next from starting in time.
        for account_id in [each for each in due if await self.attempt(self.erase_account.begin(each), swept)]:
            swept.accounts += await self.attempt(self.erase_account(account_id), swept)
        return swept

    async def attempt(self, work: Awaitable[object], swept: SweepResult) -> bool:
        """Do one account's share; count what stopped it, by code, and go on with the next."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is, the next account is not to suffer for it
            code = error.code if isinstance(error, PicoError) else type(error).__name__
            swept.failed[code] = swept.failed.get(code, 0) + 1
            return False
        return True
