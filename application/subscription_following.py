"""Use cases that follow what a payment provider says: hints are noted, and a job asks for the truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from application.hold import Hold, HoldOfJob
from application.job_type import NOW, JobType, Provider
from application.lapsed_lines import settle_lines
from application.ports.catch_ups import CatchUps
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.jobs import Job, JobLease, Queue
from application.ports.keyring import KeyGone
from application.ports.payments import PaymentHint, Payments
from application.ports.store import Store, Tx
from application.ports.store_purchases import StorePurchases
from application.purge import Purge, PurgeResult
from application.renewal import SettleRenewal
from domain.accounts import AccountRecovered
from domain.billing import Offers, Seen, Seller, Subscription, SubscriptionId, best_of
from domain.idempotency import Operation
from domain.kernel import AccountId, ErrorKind, NotFound, PicoError
from domain.retention import Retention

FOLLOW_SUBSCRIPTION = "follow_subscription"
ROUNDS = 5
CAUGHT_UP = "payments"
"""Whose turn it is to read the provider's list is kept under this name."""
CATCH_UP_EVERY = timedelta(hours=1)
CATCH_UP_TURN = timedelta(minutes=10)
CATCH_UP_FROM = timedelta(days=3)
"""As far as the first look goes back: for so long providers repeat what nobody took."""
OVERLAP = timedelta(minutes=10)
"""A list may lag behind by so much, and clocks differ."""


class AskedBefore(PicoError):
    """Somebody else asked in between, and may have heard something newer: to be asked again."""

    kind = ErrorKind.UNAVAILABLE
    code = "asked_before"


@dataclass(frozen=True, slots=True)
class FollowSubscription:
    """Asks the provider what there is, and has the account, its lines and the next look follow from it."""

    store: Store
    queue: Queue
    payments: Payments
    store_purchases: StorePurchases
    offers: Offers
    settle_renewal: SettleRenewal
    retention: Retention
    clock: Clock

    async def __call__(self, account_id: AccountId, _subject: SubscriptionId, lease: JobLease) -> None:
        """Do so as a job. Repeating is harmless.

        Raises JobGone, PaymentsUnavailable, AppStoreUnavailable, AskedBefore.
        """
        seen, is_active = await self.ask(account_id)
        hold = HoldOfJob(self.queue, account_id, lease)
        if seen.doubled:
            await self._end_doubles(account_id, hold)
        if seen.unacknowledged and is_active:
            await self._acknowledge(account_id, hold)
        here = seen.seller is Seller.STRIPE
        if here and (seen.stopped if is_active else seen.renews):
            await self.settle_renewal.settle(account_id, hold)
            await self.ask(account_id)

    async def _end_doubles(self, account_id: AccountId, hold: Hold) -> None:
        """Have nobody pay for two plans: whatever was bought twice ends with its period."""
        async with self.store.begin(account_id) as tx:
            subscription = await tx.subscriptions.find()
        if subscription is not None and subscription.payer is not None:
            await hold()
            await self.payments.end_doubles(subscription.payer)

    async def _acknowledge(self, account_id: AccountId, hold: Hold) -> None:
        """Tell the store that what was bought is had, now that it is."""
        async with self.store.begin(account_id) as tx:
            subscription = await tx.subscriptions.find()
        if subscription is not None and subscription.purchase is not None and subscription.buyer is not None:
            await hold()
            await self.store_purchases.acknowledge(subscription.purchase, subscription.buyer)

    async def ask(self, account_id: AccountId) -> tuple[Seen, bool]:
        """Ask and apply; return what the provider said, and whether the account is active. Raises as a call does."""
        for _ in range(ROUNDS):
            async with self.store.begin(account_id) as tx:
                known, account = await tx.subscriptions.find(), await tx.accounts.get_even_broken()
            if known is None:
                return Seen(), account.is_active
            known.must_be_readable()
            seen = await self._seen(known)
            try:
                return seen, await self._apply(account_id, known, seen)
            except AskedBefore:
                continue
        raise AskedBefore

    async def _seen(self, subscription: Subscription) -> Seen:
        """Ask whoever may be paid."""
        seen = Seen()
        if subscription.payer is not None:
            seen = await self.payments.fetch(subscription.payer)
        if subscription.purchase is not None:
            bought = await self.store_purchases.fetch(subscription.purchase)
            if bought is not None and bought.buyer is not None and bought.buyer == subscription.buyer:
                seen = best_of(seen, bought.seen)
        return seen

    async def _apply(self, account_id: AccountId, asked_of: Subscription, seen: Seen) -> bool:
        async def change(tx: Tx) -> bool:
            subscription, account = await tx.subscriptions.find(), await tx.accounts.get_even_broken()
            if subscription is None or subscription.looks != asked_of.looks:
                raise AskedBefore
            now = self.clock.now()
            subscription.apply(seen, now)
            if account.is_active:
                subscription.grow_older(now)
            await settle_lines(tx, account, subscription, self.offers, self.retention, now)
            wait = subscription.look_again(now)
            if wait is not None:
                tx.queue(Job(FOLLOW_SUBSCRIPTION, account_id, subscription.id, wait))
            tx.require_unchanged(account)
            tx.save(subscription)
            return account.is_active

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ReceivePaymentHint:
    """Notes that something happened to what an account pays for: a job asks what."""

    store: Store
    directory: Directory
    clock: Clock
    retention: Retention

    async def __call__(self, hint: PaymentHint) -> None:
        """Queue the look, once for each hint; for a payer of no account nothing happens. Repeating is harmless."""
        account_id = await self.directory.payer(hint.payer)
        if account_id is None:
            return
        operation = Operation(f"payments:{hint.ref}")

        async def change(tx: Tx) -> None:
            subscription = await tx.subscriptions.find()
            if subscription is None or await tx.idempotency.earlier_result(operation) is not None:
                return
            expires_at = self.retention.idempotency.ends(self.clock.now())
            tx.idempotent(operation, subscription.id, expires_at)
            tx.queue(Job(FOLLOW_SUBSCRIPTION, account_id, subscription.id))

        try:
            await self.store.update(account_id, change)
        except (NotFound, KeyGone):
            return  # the account is gone, or going


@dataclass(frozen=True, slots=True)
class CatchUpOnPayments(Purge):
    """Reads from the provider's own list what no webhook told of, one process at a time."""

    name: ClassVar[str] = "payments_caught_up"

    payments: Payments
    catch_ups: CatchUps
    receive_payment_hint: ReceivePaymentHint

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Look, if it is time. Raises PaymentsUnavailable: the next turn looks as far back. Repeating is harmless."""
        turn = await self.catch_ups.take(CAUGHT_UP, now, now + CATCH_UP_TURN)
        if turn is not None:
            since = now - CATCH_UP_FROM if turn.caught_up_to is None else turn.caught_up_to
            async for hint in self.payments.hints(since):
                await self.receive_payment_hint(hint)
            await self.catch_ups.keep(turn, now + CATCH_UP_EVERY, now - OVERLAP)
        return PurgeResult(0)


JOBS = (
    JobType(
        FOLLOW_SUBSCRIPTION, FollowSubscription, after={AccountRecovered: NOW}, attempts=None,
        asks=Provider.PAYMENTS,
    ),
)  # fmt: skip
