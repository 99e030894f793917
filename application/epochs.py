"""The use cases of master-key epochs: turning to the next one, and saying so of the erasures that waited for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from application.ports.clock import Clock
from application.ports.epochs import Epochs
from application.ports.ledger import ErasureLedger
from application.ports.signing import Signing
from application.purge import Purge, PurgeResult
from application.receipts import publicly_signed
from domain.epochs import Epoch, EpochPolicy, gone_through
from domain.receipts import Receipt

BATCH = 500
EPOCH, FINISHED_AT, UNREADABLE_BY, UNREADABLE_SINCE = (
    "epoch",
    "finished_at",
    "unreadable_by",
    "unreadable_since",
)
"""What the receipt calls the epoch in which the keys were destroyed, and the instants that go with it."""


def epoch_of(receipt: Receipt) -> int:
    """Return the epoch whose end an erasure waits for; 0 for a receipt from before there were any."""
    number = receipt.facts.get(EPOCH, 0)
    return number if isinstance(number, int) else 0


@dataclass(frozen=True, slots=True)
class RotateMasterKey:
    """Wraps every living key under a new master key and has the former ones deleted; an operator asks for it."""

    epochs: Epochs
    clock: Clock

    async def __call__(self, told: Callable[[int, int], None] = lambda _done, _broken: None) -> list[Epoch]:
        """Turn to the next epoch, or go on where an earlier attempt was cut off; return the epochs that were retired.

        `told` hears how many keys were wrapped, and how many do not open. Raises EpochInUse for as long as one of the
        latter is there: its master key is kept. Raises KeysUnavailable. Repeating begins another epoch.
        """
        now = await self.clock.agreed()
        newest = await self.epochs.newest(now)
        if not _unfinished(await self.epochs.all(), newest):
            newest = await self.epochs.begin(newest, now)
        done = broken = 0
        while (batch := await self.epochs.rewrap(BATCH, broken)).done or batch.broken:
            done, broken = done + batch.done, broken + batch.broken
            told(done, broken)
        earlier = _unfinished(await self.epochs.all(), newest)
        return [await self.epochs.retire(each.number, now) for each in earlier]


@dataclass(slots=True)
class TurnEpochs(Purge):
    """Begins the next epoch when it is due, and ends those before: a batch of keys at a time."""

    name: ClassVar[str] = "keys_wrapped_again"

    epochs: Epochs
    ledger: ErasureLedger
    policy: EpochPolicy
    broken: int = field(default=0, init=False)
    """Keys that did not open, in the epoch that is being ended."""
    looked_at: datetime | None = field(default=None, init=False)
    waiting: tuple[Receipt, ...] = field(default=(), init=False)
    """Receipts of erasures that are not final yet, as the ledger had them when it was asked last."""

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Wrap up to `limit` keys anew. Raises EpochInUse while one that does not open keeps an epoch from its end."""
        newest = await self.epochs.newest(now)
        if not _unfinished(await self.epochs.all(), newest):
            if not self.policy.due(newest, await self._finished(newest, now), now):
                return PurgeResult(0)
            newest = await self.epochs.begin(newest, now)
        batch = await self.epochs.rewrap(limit, self.broken)
        self.broken += batch.broken
        if batch.done + batch.broken < limit:  # that was the last of them
            self.broken = (
                0  # should one keep its epoch from its end, all are looked at again: it may have been mended
            )
            for each in _unfinished(await self.epochs.all(), newest):
                await self.epochs.retire(each.number, now)
        return PurgeResult(batch.done)

    async def _finished(self, newest: Epoch, now: datetime) -> list[datetime]:
        """Return when erasures finished that wait for this epoch's end."""
        if self.policy.quiet is None:
            return []
        if self.looked_at is None or now >= self.looked_at + self.policy.look_every:
            self.waiting, self.looked_at = tuple(await self.ledger.unconfirmed()), now
        return [
            datetime.fromisoformat(str(each.facts[FINISHED_AT]))
            for each in self.waiting
            if epoch_of(each) == newest.number
        ]


@dataclass(slots=True)
class ConfirmErasures(Purge):
    """Adds the second signed line to a receipt, once every master key is gone that ever wrapped the account's keys."""

    name: ClassVar[str] = "erasures_final"

    epochs: Epochs
    ledger: ErasureLedger
    policy: EpochPolicy
    signing: Signing
    looked_at: datetime | None = field(default=None, init=False)
    sure_through: int = field(default=0, init=False)
    """The epoch up to which the key service itself said that every master key is gone."""

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Confirm up to `limit`. Raises KeysUnavailable, LedgerUnavailable. Repeating is harmless."""
        if self.looked_at is not None and now < self.looked_at + self.policy.look_every:
            return PurgeResult(0)
        epochs = await self.epochs.all()
        through = gone_through(epochs, now)
        gone_at = {each.number: each.gone_at for each in epochs}
        for number in range(self.sure_through + 1, through + 1):
            if not await self.epochs.is_gone(number):
                break  # somebody cancelled its deletion
            self.sure_through = number
        ready = [each for each in await self.ledger.unconfirmed() if 0 < epoch_of(each) <= self.sure_through]
        for receipt in ready[:limit]:
            since = max(
                at for number, at in gone_at.items() if at is not None and number <= epoch_of(receipt)
            )
            facts = {EPOCH: epoch_of(receipt), UNREADABLE_SINCE: since.isoformat()}
            signed = await publicly_signed(self.signing, receipt.fingerprint, facts)
            await self.ledger.confirm(receipt.fingerprint, signed)
        if len(ready) <= limit:
            self.looked_at = now
        return PurgeResult(min(len(ready), limit))


def _unfinished(epochs: Sequence[Epoch], newest: Epoch) -> list[Epoch]:
    """Return the epochs before the newest whose master key was not retired yet."""
    return [each for each in epochs if each.number < newest.number and each.gone_at is None]
