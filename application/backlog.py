"""The use case of seeing what is still to be done: for metrics, for alarms and for whoever watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from application.erasure_step import ErasureStep
from application.message_deletion import DELETE_CARRIER_COPY
from application.ports.backlog import Backlog, QueuedWork
from application.ports.clock import Clock
from application.ports.epochs import Epochs
from application.ports.ledger import ErasureLedger
from application.ports.ledger_place import LedgerPlace
from application.voicemail_deletion import DELETE_RECORDING
from domain.residue import Holding
from domain.retention import Retention

COPY_JOBS = frozenset({DELETE_CARRIER_COPY, DELETE_RECORDING})
"""The jobs by which what a carrier holds of an account in use is deleted there."""
RECEIPT = "receipt"
"""What is open of an erasure when all its steps are done."""
NOT_AT_ALL = timedelta()


@dataclass(frozen=True, slots=True)
class ErasuresAt:
    """How many erasures wait at a step, and for how long the oldest of them has been under way."""

    count: int = 0
    oldest: timedelta = NOT_AT_ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What is still to be done. It names nobody."""

    work: Sequence[QueuedWork]
    failing: Mapping[str, int]
    """Jobs that failed when they were tried last, by code: `carrier_unavailable` and the like tell of a provider."""
    oldest_due_deletion: timedelta
    """For how long the erasure that is furthest behind has been due, begun or not."""
    oldest_carrier_copy: timedelta
    """Since when a copy has waited for its deletion at a carrier."""
    erasures: Mapping[str, ErasuresAt]
    """By the step that is next; every step is there."""
    held: Mapping[Holding, int]
    """What providers hold still of erasures under way; every kind is there."""
    epoch: int
    epoch_age: timedelta
    ledger_records: int
    records_noted: int
    """How many of them the database knows: fewer only where it is an earlier one."""


@dataclass(frozen=True, slots=True)
class ReadBacklog:
    """Looks at everything that is open. Each look goes over all of it: not more often than every few seconds."""

    steps: tuple[ErasureStep, ...]
    backlog: Backlog
    epochs: Epochs
    ledger: ErasureLedger
    place: LedgerPlace
    retention: Retention
    clock: Clock

    async def __call__(self) -> Overview:
        """Return it. Raises StoreUnavailable, KeysUnavailable, LedgerUnavailable, LedgerBroken."""
        now = self.clock.now()
        work = await self.backlog.work()
        waiting = await self.backlog.longest_due(now, self.retention.unverified.cutoff(now))
        names = tuple(step.name for step in self.steps)
        erasures = {name: ErasuresAt() for name in (*names, RECEIPT)}
        for one in await self.backlog.erasures():
            remaining = names if one.done is None else names[names.index(one.done) + 1 :]
            at = remaining[0] if remaining else RECEIPT
            erasures[at] = ErasuresAt(one.number, now - one.oldest_began_at)
        held = await self.backlog.held()
        newest = await self.epochs.newest(now)
        noted = await self.place.noted()
        return Overview(
            work=work,
            failing=await self.backlog.failing(),
            oldest_due_deletion=max([waiting or NOT_AT_ALL, *(one.oldest for one in erasures.values())]),
            oldest_carrier_copy=max([NOT_AT_ALL, *(one.age for one in work if one.job in COPY_JOBS)]),
            erasures=erasures,
            held={holding: held.get(holding, 0) for holding in Holding},
            epoch=newest.number,
            epoch_age=now - newest.began_at,
            ledger_records=(await self.ledger.position()).number,
            records_noted=0 if noted is None else noted.number,
        )
