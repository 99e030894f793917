"""What calls may cost: taken before a carrier hears of one, for as long as it may last; given back when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from application.ports.store import Store, Tx
from application.spend import Spend
from domain.calls import Call
from domain.kernel import CallId
from domain.lines import PhoneLine
from domain.spend import PaidCall
from domain.values import PhoneNumber

GREETING_TAKES = timedelta(minutes=2)
"""A call to the line itself is over by then: its person hears what to do, and is recorded for a minute at most."""


@dataclass(frozen=True, slots=True)
class CallCosts:
    """Keeps calls within what an account may spend."""

    store: Store
    spend: Spend

    async def take(self, call: Call, line: PhoneLine, to: PhoneNumber) -> timedelta:
        """Take what a call to this number may cost, and return how long it may last.

        A call for which it was taken already may go on for as long as was paid. Raises DestinationNotAllowed,
        SpendLimited, SendingPaused, LimitsUnavailable.
        """
        paid = await self.pay(line, to, already=call.reserved)
        if paid.cost:
            await self._note(call.id, line, paid.cost)
        return paid.longest

    async def pay(self, line: PhoneLine, to: PhoneNumber, *, already: int = 0) -> PaidCall:
        """Take what a call to this number may cost, for whoever puts it on record. Raises as above."""
        at_most = GREETING_TAKES if to == line.number else None
        return await self.spend.take_call(line.account_id, line.country, to, already=already, at_most=at_most)

    async def _note(self, call_id: CallId, line: PhoneLine, cost: int) -> None:
        async def change(tx: Tx) -> None:
            call = await tx.calls.get_even_deleted(call_id)
            call.reserve(cost)
            tx.save(call)

        await self.store.update(line.account_id, change)
