"""Use cases that bring an order of a number to its end."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.jobs import JobLease
from application.ports.keyring import KeyGone
from application.ports.numbers import NumberOrder, NumberProvider
from application.ports.store import Store, Tx
from domain.kernel import AccountId, ErrorKind, LineId, NotFound, PicoError
from domain.lines import PhoneLine
from domain.values import PhoneNumber


class OrderPending(PicoError):
    """The carrier has not decided yet whether the number is ours."""

    kind = ErrorKind.UNAVAILABLE
    code = "order_pending"


@dataclass(frozen=True, slots=True)
class CompletePurchase:
    """Asks the carrier for the number, or finds out what an earlier order came to."""

    store: Store
    numbers: NumberProvider
    clock: Clock

    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        """Complete an order left open. Raises OrderPending, CarrierUnavailable: it stays open. Repeatable."""
        line = await self._complete(account_id, line_id, lease, first=False)
        if line.is_ordering:
            raise OrderPending

    async def now(self, account_id: AccountId, line_id: LineId) -> PhoneLine:
        """Return the line: active, failed, or ordering while the carrier has not decided.

        Raises CarrierUnavailable: the order stays open. For the first attempt: it does not look before it asks.
        """
        return await self._complete(account_id, line_id, None, first=True)

    async def again(self, account_id: AccountId, line_id: LineId) -> None:
        """Ask what the order has come to, and commit a decision. Raises CarrierUnavailable. Repeating is harmless."""
        await self._complete(account_id, line_id, None, first=False)

    async def _complete(
        self, account_id: AccountId, line_id: LineId, lease: JobLease | None, *, first: bool
    ) -> PhoneLine:
        async with self.store.begin(account_id) as tx:
            line, account = await tx.lines.get(line_id), await tx.accounts.get()
        if not line.is_ordering:
            return line
        # A later attempt looks before it asks; after a request to delete nothing is bought any more.
        look = not (first and account.is_active)
        order = await self.numbers.find_order(line.number, line_id) if look else None
        if order is None and account.is_active:
            order = await self._order(line)
        if order is not None and order.is_pending:
            return line
        return await self._commit(account_id, line_id, order, lease)

    async def _order(self, line: PhoneLine) -> NumberOrder:
        order = await self.numbers.order(line.number, line.id)
        if order.has_failed:
            # Perhaps taken by ourselves, by an attempt whose answer was lost.
            return await self.numbers.find_order(line.number, line.id) or order
        return order

    async def _commit(
        self, account_id: AccountId, line_id: LineId, order: NumberOrder | None, lease: JobLease | None
    ) -> PhoneLine:
        """Commit what the carrier decided."""

        async def change(tx: Tx) -> PhoneLine:
            line, account = await tx.lines.get(line_id), await tx.accounts.get()
            if order is None or order.ref is None:
                line.fail()
            else:
                line.activate(order.ref, order.capabilities, self.clock.now())
                if not account.is_active:
                    line.suspend()
            tx.require_unchanged(account)
            tx.save(line)
            return line

        return await self.store.update(account_id, change, completing=lease)


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
