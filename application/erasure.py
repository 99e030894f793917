"""The use case of hard deletion: one step after another, each verified by reading back, each safe to repeat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from application.deletion_counts import receipted
from application.epochs import EPOCH, FINISHED_AT, UNREADABLE_BY
from application.erasure_step import ErasureStep
from application.hold import Hold, HoldOfJob
from application.job_type import NOW, JobType
from application.kept_address import KeptAddress
from application.ports.audit_log import AuditLog
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.epochs import Epochs
from application.ports.jobs import ERASURE_JOB, JobLease, Queue
from application.ports.keyring import KeyGone, Keyring
from application.ports.ledger import ErasureLedger, Fingerprint
from application.ports.objects import Objects
from application.ports.signing import Signing
from application.ports.store import Store, Tx
from application.purge import Purge, PurgeResult, purge_each
from application.receipts import publicly_signed
from application.residue import ClearResidue, Found
from application.sign_up import was_used
from domain.accounts import AccountErasureBegun, NotDue
from domain.audit_chain import digest_of
from domain.epochs import EpochPolicy
from domain.erasure import Erasure, NotYetGone
from domain.kernel import AccountId, ErrorKind, NotFound, PicoError
from domain.receipts import Intent
from domain.residue import Holding
from domain.retention import Retention

WORDS = {
    Holding.MESSAGE: "messages_deleted",
    Holding.NUMBER: "numbers_released",
    Holding.RECORDING: "recordings_deleted",
    Holding.CALL: "call_records_deleted",
    Holding.SUBSCRIPTION: "subscriptions_cancelled",
    Holding.PAYER: "payers_deleted",
}
"""What the receipt calls what providers held."""


AT_ONCE = 4
"""Erasures that a worker does at the same time: most of one is waiting for providers, some 3 s."""
EVERY = timedelta(seconds=1.5)
"""The least time between two that a worker begins. One keeps processor and database busy for some 0.15 s: however many
are due, nine tenths of the time are everybody else's, and one worker does a thousand in 25 minutes."""


class ErasureBlocked(PicoError):
    """What a step of an erasure needs is gone before its time: somebody has to look."""

    kind = ErrorKind.UNAVAILABLE
    code = "erasure_blocked"


@dataclass(frozen=True, slots=True)
class BeginErasures(Purge):
    """Begins the erasure of every account whose time is over (clauses T2, T7); a job takes the steps."""

    name: ClassVar[str] = "accounts"

    store: Store
    directory: Directory
    retention: Retention
    ledger: ErasureLedger
    fingerprint: Fingerprint
    stuck: set[AccountId] = field(default_factory=set, init=False, repr=False, compare=False)
    """Accounts that are due and cannot be begun: they come first, and however many, others get their turn."""

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Refuse recovery for up to `limit` accounts due by `now`, beside those stuck. Repeating is harmless."""
        unverified_before = self.retention.unverified.cutoff(now)
        due = await self.directory.accounts_to_erase(now, unverified_before, limit + len(self.stuck))
        self.stuck.intersection_update(due)

        async def begin(account_id: AccountId) -> bool:
            self.stuck.add(account_id)
            begun = await self.begin(account_id, now)
            self.stuck.discard(account_id)
            return begun

        return await purge_each(due, begin)

    async def begin(self, account_id: AccountId, now: datetime) -> bool:
        """Refuse recovery for one account, if it is due by `now`; tell whether it was. Repeating is harmless."""

        async def change(tx: Tx) -> None:
            account = await tx.accounts.get_even_broken()
            requested = await self.ledger.requested(await self.fingerprint(account_id))
            used = account.is_unverified and await was_used(tx)
            account.begin_erasure(now, self.retention.unverified, requested, used=used)
            tx.save(account)

        try:
            await self.store.update(account_id, change)
        except (NotDue, NotFound):  # recovered, verified or begun by another worker meanwhile
            return False
        return True


@dataclass(frozen=True, slots=True)
class EraseAccount:
    """Erases one account from every store and provider, step by step; a failed step is where the next try goes on."""

    steps: tuple[ErasureStep, ...]
    store: Store
    queue: Queue
    keyring: Keyring
    ledger: ErasureLedger
    fingerprint: Fingerprint
    epochs: Epochs
    policy: EpochPolicy
    signing: Signing
    audit_log: AuditLog
    clock: Clock
    kept_address: KeptAddress

    async def __call__(self, account_id: AccountId, _subject: UUID, lease: JobLease) -> None:
        """Take the steps that remain, then sign the receipt. Raises what a step raises. Repeating is harmless."""
        now = await self.clock.agreed()
        erasure = await self.store.erasure(account_id)
        if erasure is None:
            if await self.ledger.receipt(await self.fingerprint(account_id)) is not None:
                return  # finished before; only the end of the job was lost
            erasure = Erasure(account_id=account_id, began_at=now)
        if self.kept_address.is_over(erasure, now):  # however long others take, it does not wait for them
            await self.kept_address.drop(erasure)
        steps, hold = {step.name: step for step in self.steps}, HoldOfJob(self.queue, account_id, lease)
        for name in erasure.remaining(tuple(steps)):
            try:
                counts = await steps[name].run(erasure, hold)
            except (KeyGone, NotFound):
                raise ErasureBlocked from None
            erasure = erasure.finish(name, counts, self.clock.now())
            await self.store.checkpoint(erasure)
        await hold()
        await self._complete(erasure)

    async def _complete(self, erasure: Erasure) -> None:
        """Sign the receipt, which names nobody, and drop the checkpoint."""
        now = self.clock.now()
        by = self.policy.ends(await self.epochs.newest(now), now) + self.epochs.window
        facts = {
            FINISHED_AT: now.isoformat(),
            UNREADABLE_BY: by.isoformat(),
            **erasure.counts,
            "keys_left": await self.keyring.count(erasure.account_id),
            "audit_head": digest_of(await self.audit_log.heads()),
        }
        fingerprint = await self.fingerprint(erasure.account_id)
        await self.ledger.complete(fingerprint, await publicly_signed(self.signing, fingerprint, facts))
        await self.store.forget_erasure(erasure.account_id)


@dataclass(frozen=True, slots=True)
class RecordIntent(ErasureStep):
    """The erasure ledger knows of the erasure before anything is lost, and of none that the account does not confirm.

    So neither a forged job nor a forged checkpoint erases anybody.
    """

    name: ClassVar[str] = "intent"
    needs_keys: ClassVar[bool] = False

    store: Store
    keyring: Keyring
    ledger: ErasureLedger
    fingerprint: Fingerprint

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Open the intent. Repeating is harmless: the first intent stands.

        Raises LedgerUnavailable, and SealBroken for an account that is not being erased.
        """
        fingerprint = await self.fingerprint(erasure.account_id)
        if await self.ledger.intent(fingerprint) is not None:
            return {}
        requested = await self.ledger.requested(fingerprint)
        async with self.store.begin(erasure.account_id) as tx:
            account = await tx.accounts.get_even_broken()
            used = account.altered and await was_used(tx)
        account.must_be_erasing(erasure.began_at, requested, used=used)
        keys = await self.keyring.count(erasure.account_id)
        await hold()
        await self.ledger.open_intent(Intent(fingerprint, keys, erasure.began_at))
        return {}


@dataclass(frozen=True, slots=True)
class DestroyKeys(ErasureStep):
    """The first step on our own copies: whatever of them survives anywhere can no longer be opened."""

    name: ClassVar[str] = "keys"
    needs_keys: ClassVar[bool] = False

    store: Store
    keyring: Keyring
    epochs: Epochs
    clock: Clock

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Destroy every key of the account, and count what is left. Raises NotYetGone, KeysUnavailable.

        It notes the epoch as well, after the keys went: no copy of them is wrapped in a later one.
        """
        await hold()
        found = {"keys_destroyed": await self.keyring.count(erasure.account_id)}
        erasure = await noted(self.store, erasure, found)
        await self.keyring.destroy(erasure.account_id)
        if await self.keyring.count(erasure.account_id):
            raise NotYetGone
        newest = await self.epochs.newest(await self.clock.agreed())
        return {**erasure.counts, EPOCH: newest.number}


@dataclass(frozen=True, slots=True)
class DeleteRows(ErasureStep):
    """Every row goes, by inventory."""

    name: ClassVar[str] = "rows"
    needs_keys: ClassVar[bool] = False

    store: Store

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Count the rows and delete them. Raises StoreUnavailable. Repeating is harmless."""
        found = receipted(await self.store.count_rows(erasure.account_id))
        erasure = await noted(self.store, erasure, found)
        await self.store.delete_rows(erasure.account_id)
        return erasure.counts


async def noted(store: Store, erasure: Erasure, found: Mapping[str, int]) -> Erasure:
    """Put on record what is about to be deleted, so that no attempt that is cut short forgets what it deleted."""
    erasure = erasure.about_to_delete(found)
    await store.checkpoint(erasure)
    return erasure


@dataclass(frozen=True, slots=True)
class VerifyNothingLeft(ErasureStep):
    """Every store of ours is asked once more and must answer zero, then the providers for all they ever held."""

    name: ClassVar[str] = "verified"
    needs_keys: ClassVar[bool] = False

    store: Store
    keyring: Keyring
    objects: Objects
    ledger: ErasureLedger
    fingerprint: Fingerprint
    signing: Signing
    clock: Clock
    clear_residue: ClearResidue

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Count keys, rows and what providers hold. Raises NotYetGone. Repeating is harmless.

        While a provider holds something, an interim receipt says what is gone, and what is open.
        """
        await self.objects.delete_all(
            erasure.account_id
        )  # of a job that had been at work while the others went
        left = sum((await self.store.count_rows(erasure.account_id)).values())
        left += (objects := await self.objects.count(erasure.account_id))
        if left or await self.keyring.count(erasure.account_id):
            raise NotYetGone
        found = await self.clear_residue.settle(erasure, hold)
        if found.held:
            await self._sign_interim(erasure, found)
        if found.open:
            raise NotYetGone(within=None if found.held else self.clear_residue.pause)
        settled = {WORDS[holding]: count for holding, count in found.settled.items()}
        return {"rows_left": left, "objects_left": objects, **settled}

    async def _sign_interim(self, erasure: Erasure, found: Found) -> None:
        facts = {
            "own_data_gone_by": self.clock.now().isoformat(),
            **erasure.counts,
            "messages_open": found.held[Holding.MESSAGE],
            "numbers_open": found.held[Holding.NUMBER],
            "recordings_open": found.held[Holding.RECORDING],
            "call_records_open": found.held[Holding.CALL],
            "subscriptions_open": found.held[Holding.SUBSCRIPTION],
            "payers_open": found.held[Holding.PAYER],
        }
        fingerprint = await self.fingerprint(erasure.account_id)
        await self.ledger.sign_interim(fingerprint, await publicly_signed(self.signing, fingerprint, facts))


JOBS = (
    JobType(
        ERASURE_JOB,
        EraseAccount,
        after={AccountErasureBegun: NOW},
        attempts=None,
        alarm_after=timedelta(hours=1),
        at_once=AT_ONCE,
        every=EVERY,
    ),
)
