"""The use case that asks the carrier whether a line can still do what it says."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.jobs import JobLease
from application.ports.numbers import NumberProvider
from application.ports.store import Store, Tx
from domain.kernel import AccountId, LineId

CHECK_LINE = "check_line"


@dataclass(frozen=True, slots=True)
class CheckLine:
    """Finds out whether the carrier still holds a line's number, and what the number can do."""

    store: Store
    numbers: NumberProvider
    clock: Clock

    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        """Note what the carrier says: a number that it does not hold is lost. Raises CarrierUnavailable. Repeatable."""
        async with self.store.begin(account_id) as tx:
            line = await tx.lines.get(line_id)
        if line.ref is None or not line.may_be_lost:
            return
        order = await self.numbers.find_order(line.number, line_id)
        held = (order is not None and order.ref is not None) or await self.numbers.owns(line.ref, line_id)
        ported = not held and await self.numbers.was_ported_out(line.number)

        async def change(tx: Tx) -> None:
            line = await tx.lines.get(line_id)
            if not held:
                line.lose(self.clock.now(), ported_out=ported)
            elif order is not None and order.ref is not None:
                line.can_do(order.capabilities)
            tx.save(line)

        await self.store.update(account_id, change, completing=lease)
