"""The use case that brings an order of a number to its end."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports.carrier import Carrier, CarrierRefused, NumberTaken, Purchase
from application.ports.clock import Clock
from application.ports.jobs import JobLease
from application.ports.store import Store, Tx
from domain.kernel import AccountId, LineId
from domain.lines import PhoneLine


@dataclass(frozen=True, slots=True)
class CompletePurchase:
    """Asks the carrier for the number, or finds out what an earlier attempt came to."""

    store: Store
    carrier: Carrier
    clock: Clock

    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        """Complete an order left open. Raises CarrierUnavailable: it stays open. Repeating is harmless."""
        await self._complete(account_id, line_id, lease)

    async def now(self, account_id: AccountId, line_id: LineId) -> PhoneLine:
        """Return the line, active or failed. Raises CarrierUnavailable: the order stays open. Repeating is harmless."""
        return await self._complete(account_id, line_id, None)

    async def _complete(self, account_id: AccountId, line_id: LineId, lease: JobLease | None) -> PhoneLine:
        async with self.store.begin(account_id) as tx:
            line, account = await tx.lines.get(line_id), await tx.accounts.get()
        if not line.is_ordering:
            return line
        # A later attempt looks before it asks; after a request to delete nothing is bought any more.
        look = lease is not None or not account.is_active
        purchase = await self.carrier.find_purchase(line.number, line_id) if look else None
        if purchase is None and account.is_active:
            purchase = await self._buy(line)
        return await self._commit(account_id, line_id, purchase, lease)

    async def _buy(self, line: PhoneLine) -> Purchase | None:
        try:
            return await self.carrier.buy(line.number, line.id)
        except NumberTaken:
            # Perhaps taken by ourselves, by an attempt whose answer was lost.
            return await self.carrier.find_purchase(line.number, line.id)
        except CarrierRefused:
            return None

    async def _commit(
        self, account_id: AccountId, line_id: LineId, purchase: Purchase | None, lease: JobLease | None
    ) -> PhoneLine:
        """Commit what the carrier said."""

        async def change(tx: Tx) -> PhoneLine:
            line, account = await tx.lines.get(line_id), await tx.accounts.get()
            if purchase is None:
                line.fail()
            else:
                line.activate(purchase.ref, purchase.capabilities, self.clock.now())
                if not account.is_active:
                    line.suspend()
            tx.require_unchanged(account)
            tx.save(line)
            return line

        return await self.store.update(account_id, change, completing=lease)
