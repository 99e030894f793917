"""The use case of keeping nothing too long: one sweep over everything that falls due by the clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from application.audit_log import KeepAuditLog
from application.data_requests import WatchDataRequests
from application.endings import PurgeEndings
from application.epochs import ConfirmErasures, TurnEpochs
from application.erasure import BeginErasures
from application.exports import ExpireExports
from application.idempotency import PurgeIdempotencyRecords
from application.limits import PurgeLimits
from application.live import PurgeLiveEvents
from application.number_reconciliation import WatchNumbers
from application.orphan_keys import DestroyOrphanKeys
from application.overdue_erasures import BeginOverdueErasures
from application.ports.clock import Clock
from application.purge import Purge
from application.recall import RecallJobs
from application.sessions import PurgeEndedSessions
from application.subscription_following import CatchUpOnPayments
from application.unused_accounts import WatchUnusedAccounts
from application.webhook_deliveries import PurgeWebhookDeliveries
from domain.kernel import PicoError

BATCH = 500
"""Most records of one kind that go at once, before the other kinds have their turn."""


PURGES: tuple[type[Purge], ...] = (
    BeginErasures,
    BeginOverdueErasures,
    WatchUnusedAccounts,
    PurgeEndedSessions,
    PurgeEndings,
    DestroyOrphanKeys,
    PurgeIdempotencyRecords,
    ExpireExports,
    PurgeLiveEvents,
    PurgeWebhookDeliveries,
    RecallJobs,
    PurgeLimits,
    TurnEpochs,
    ConfirmErasures,
    WatchNumbers,
    WatchDataRequests,
    KeepAuditLog,
    CatchUpOnPayments,
)
"""One line for each retention rule that is carried out by the clock, and for what a wrong one left behind."""


@dataclass(slots=True)
class SweepResult:
    """What one sweep did: how many of each kind went, by the name of the purge; how many failed, by code.

    `unforeseen` are those of the errors that nobody foresaw, for whoever reports them.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    unforeseen: list[Exception] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Purges what is due now. The scheduler runs it every few seconds."""

    purges: tuple[Purge, ...]
    clock: Clock

    async def __call__(self) -> SweepResult:
        """Run every purge until nothing is due, in turns; one that fails holds up no other. Repeating is harmless.

        While the clocks disagree nothing is purged, and the result says so for the alarm.
        """
        result = SweepResult()
        unfinished = self.purges
        while unfinished:
            unfinished = tuple([purge for purge in unfinished if await self._batch(purge, result)])
        return result

    async def _batch(self, purge: Purge, result: SweepResult) -> bool:
        """Purge one batch. Return whether it was a full one, so that more may be due."""
        try:
            done = await purge(await self.clock.agreed(), BATCH)
        except PicoError as error:
            result.failed[error.code] += 1
        except Exception as error:  # noqa: BLE001 - retention must not stop because one purge did
            result.failed[type(error).__name__] += 1
            result.unforeseen.append(error)
        else:
            result.counts[purge.name] += done.purged
            result.failed += done.failed
            result.unforeseen += done.unforeseen
            return done.purged == BATCH
        return False
