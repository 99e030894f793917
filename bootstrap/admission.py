"""Whether a process may serve and work yet: not before its database is as the erasure ledger says."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from adapters.error_report import report
from application.restore_gate import RestoreGate, Restoring
from domain.kernel import PicoError

log = structlog.get_logger()

AGAIN_AFTER = timedelta(seconds=5)


class Admission:
    """One process's way through the restore gate. Closed until `check` or `until_open` opened it, once and for all."""

    def __init__(self, gate: RestoreGate, again_after: timedelta = AGAIN_AFTER) -> None:
        self._gate = gate
        self._again_after = again_after
        self._passing = asyncio.Lock()
        self.is_open = False

    async def check(self) -> None:
        """Open if there is nothing to replay.

        Raises LedgerBehind, LedgerOther, LedgerBroken, LedgerUnavailable, StoreUnavailable: the process must not start.
        """
        self.is_open = self.is_open or not await self._gate.is_behind()

    async def until_open(self) -> None:
        """Replay what the database forgot, however often that takes, then open. Repeating is harmless."""
        async with self._passing:
            while not self.is_open:
                log.warning("restore replay begins")
                try:
                    replayed = await self._gate()
                except PicoError as error:
                    report(error, "restore replay failed")
                    await asyncio.sleep(self._again_after.total_seconds())
                else:
                    log.warning("restore replayed", erased=replayed.erased, shut=replayed.shut)
                    self.is_open = True

    async def __call__(self) -> None:
        """Raises Restoring while closed."""
        if not self.is_open:
            raise Restoring
