"""The use case that has nothing charged while an account waits to be deleted, and again once it is recovered."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from application.hold import Hold, HoldOfJob
from application.job_type import NOW, JobType, Provider
from application.payers import is_broken, payers_of
from application.ports.jobs import JobLease, Queue
from application.ports.payments import Payments
from application.ports.store import Store
from domain.accounts import AccountDeletionRequested, AccountRecovered
from domain.billing import PayerRef
from domain.kernel import AccountId, ErrorKind, PicoError

SECONDS_AT_ONCE = 5.0
"""How long whoever deletes or recovers an account waits for the provider, before a job goes on with it."""
ROUNDS = 5


class RenewalUnsettled(PicoError):
    """The account was deleted and recovered while the provider was being told."""

    kind = ErrorKind.UNAVAILABLE
    code = "renewal_unsettled"


@dataclass(frozen=True, slots=True)
class SettleRenewal:
    """Brings the provider into agreement with the account: it charges for one that is active, and for no other.

    A request that was held up on its way is followed by another look at the account: whatever order deletion and
    recovery come in, the last one counts.
    """

    store: Store
    queue: Queue
    payments: Payments

    async def __call__(self, account_id: AccountId, _subject: AccountId, lease: JobLease) -> None:
        """Do so as a job. Raises JobGone, PaymentsUnavailable, RenewalUnsettled. Repeating is harmless."""
        await self.settle(account_id, HoldOfJob(self.queue, account_id, lease))

    async def at_once(self, account_id: AccountId) -> None:
        """Do so within a request, if the provider answers in time: a job was committed that does it otherwise."""
        with suppress(PicoError, TimeoutError):
            async with asyncio.timeout(SECONDS_AT_ONCE):
                await self.settle(account_id, _unheld)

    async def settle(self, account_id: AccountId, hold: Hold) -> None:
        """Stop what would be charged, or undo that. Raises as a call does. Repeating is harmless."""
        payers, is_active = await self._wanted(account_id)
        for _ in range(ROUNDS):
            if not payers:
                return
            for payer in payers:
                await hold()
                await (self.payments.restore_renewal if is_active else self.payments.stop_renewal)(payer)
            told = is_active
            payers, is_active = await self._wanted(account_id)
            if is_active == told:
                return
        raise RenewalUnsettled

    async def _wanted(self, account_id: AccountId) -> tuple[list[PayerRef], bool]:
        """Return who pays, if anybody does, and whether they are to go on. A row that is broken is not asked."""
        async with self.store.begin(account_id) as tx:
            account, subscription = await tx.accounts.get_even_broken(), await tx.subscriptions.find()
        account.must_be_whole()
        if subscription is not None and is_broken(subscription):
            return await payers_of(self.payments, subscription, account.created_at), account.is_active
        payer = None if subscription is None else subscription.payer
        return ([] if payer is None else [payer]), account.is_active


async def _unheld() -> None:
    """Hold nothing: a request has no lease."""


JOBS = (
    JobType(
        "settle_renewal",
        SettleRenewal,
        after={AccountDeletionRequested: NOW, AccountRecovered: NOW},
        attempts=None,
        asks=Provider.PAYMENTS,
    ),
)
