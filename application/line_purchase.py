"""Use cases that bring an order of a number to its end."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from application.hold import HoldOfJob
from application.lapsed_lines import follow_account
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.entitlements import Entitlements
from application.ports.jobs import JobLease, Queue
from application.ports.keyring import KeyGone
from application.ports.numbers import NumberOrder, NumberProvider
from application.ports.store import Store, Tx
from domain.accounts import Account
from domain.billing import Offers
from domain.entitlements import LineLimitReached
from domain.kernel import AccountId, ErrorKind, LineId, NotFound, PicoError
from domain.lines import PhoneLine
from domain.values import PhoneNumber

FIRST_ATTEMPT_WITHIN = timedelta(seconds=5)
"""A request that was held up for longer leaves the order to the job: it might order what the job has ordered."""


class OrderPending(PicoError):
    """The carrier has not decided yet whether the number is ours."""

    kind = ErrorKind.UNAVAILABLE
    code = "order_pending"


@dataclass(frozen=True, slots=True)
class CompletePurchase:
    """Asks the carrier for the number, or finds out what an earlier order came to."""

    store: Store
    queue: Queue
    numbers: NumberProvider
    entitlements: Entitlements
    offers: Offers
    clock: Clock

    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        """Complete an order left open: look, then ask. Repeatable.

        Raises OrderPending, CarrierUnavailable: it stays open. Raises JobGone: it is another worker's now.
        """
        line, may_order = await self._read(account_id, line_id)
        if not line.is_ordering:
            return
        order = await self.numbers.find_order(line.number, line_id)
        if order is None and may_order:
            await HoldOfJob(self.queue, account_id, lease)()
            order = await self._order(line)
        if order is not None and order.is_pending:
            raise OrderPending
        await self._commit(account_id, line_id, order, lease)

    async def now(self, account_id: AccountId, line_id: LineId) -> PhoneLine:
        """Return the line: active, failed, or ordering while the carrier has not decided.

        Raises CarrierUnavailable: the order stays open. For the first attempt: it does not look before it asks.
        Raises LineLimitReached for one line more than the plan allows, which another request began at the same time.
        """
        line, may_order = await self._read(account_id, line_id)
        if line.is_ordering and not may_order:
            await self._must_be_within_plan(account_id, line_id)
        in_time = self.clock.now() < line.created_at + FIRST_ATTEMPT_WITHIN
        if not (line.is_ordering and may_order and in_time):
            return line
        order = await self._order(line)
        return line if order.is_pending else await self._commit(account_id, line_id, order)

    async def again(self, account_id: AccountId, line_id: LineId) -> None:
        """Ask what the order has come to, and commit a decision. Raises CarrierUnavailable. Repeating is harmless."""
        line, _ = await self._read(account_id, line_id)
        if line.is_ordering:
            order = await self.numbers.find_order(line.number, line_id)
            if order is not None and not order.is_pending:
                await self._commit(account_id, line_id, order)

    async def _read(self, account_id: AccountId, line_id: LineId) -> tuple[PhoneLine, bool]:
        """Return the line, and whether it may be ordered: not once deleted or frozen, and not past the plan.

        Two requests at a time each count the lines before they see the other's. Here both are on record: of orders that
        race for a last place some may be called off needlessly, but never is one placed that is too many.
        """
        plan = await self.entitlements.plan(account_id)
        async with self.store.begin(account_id) as tx:
            line, account = await tx.lines.get(line_id), await tx.accounts.get()
            held = sum(each.holds_number for each in await tx.lines.list_all())
        return line, _may_buy(account) and plan.allows(held)

    async def _must_be_within_plan(self, account_id: AccountId, line_id: LineId) -> None:
        """Call an order off that was not placed and is past the plan. Raises LineLimitReached."""
        async with self.store.begin(account_id) as tx:
            account = await tx.accounts.get()
        if _may_buy(account):
            await self._commit(account_id, line_id, None)
            raise LineLimitReached

    async def _is_unpaid(self, tx: Tx) -> bool:
        held = sum(each.holds_number for each in await tx.lines.list_all())
        return self.offers.silences(await tx.subscriptions.find(), held, self.clock.now())

    async def _order(self, line: PhoneLine) -> NumberOrder:
        order = await self.numbers.order(line.number, line.id)
        if order.has_failed:
            # Perhaps taken by ourselves, by an attempt whose answer was lost.
            return await self.numbers.find_order(line.number, line.id) or order
        return order

    async def _commit(
        self, account_id: AccountId, line_id: LineId, order: NumberOrder | None, lease: JobLease | None = None
    ) -> PhoneLine:
        """Commit what the carrier decided."""

        async def change(tx: Tx) -> PhoneLine:
            line, account = await tx.lines.get(line_id), await tx.accounts.get()
            if order is None or order.ref is None:
                line.fail()
            else:
                line.activate(order.ref, order.capabilities, self.clock.now())
                if await self._is_unpaid(tx):
                    line.suspend()
                elif not account.is_active or account.restriction is not None:
                    follow_account(line, account, self.clock.now())
            tx.require_unchanged(account)
            tx.save(line)
            return line

        return await self.store.update(account_id, change, completing=lease)


def _may_buy(account: Account) -> bool:
    """Tell whether the carrier may be asked for a number: what was begun before a deletion or a freeze is not."""
    return account.is_active and account.restriction is None


@dataclass(frozen=True, slots=True)
class ApplyOrderChange:
    """Takes a webhook that says an order has changed for a hint: the provider is asked what it has come to."""

    directory: Directory
    complete_purchase: CompletePurchase

    async def __call__(self, number: PhoneNumber) -> None:
        """Complete the open order of the line that holds this number; for any other number nothing happens.

        Raises CarrierUnavailable. Repeating is harmless.
        """
        lease = await self.directory.line(number, fresh=True)
        if lease is not None:
            with suppress(NotFound, KeyGone):
                await self.complete_purchase.again(lease.account_id, lease.line_id)
