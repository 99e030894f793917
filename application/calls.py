"""Use cases of calls that are over or going on: list, read, delete; and of the telephone to which a line forwards."""

from __future__ import annotations

from dataclasses import dataclass

from application.outbound_calls import must_be_callable
from application.paging import Page
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.numbering import NumberingPlan
from application.ports.store import Store, Tx
from application.spend import Spend
from domain.calls import Call
from domain.forwarding import ForwardingLoop, ForwardWhen
from domain.kernel import AccountId, CallId, LineId
from domain.lines import PhoneLine
from domain.spend import DestinationNotAllowed
from domain.values import Peer, PhoneNumber


@dataclass(frozen=True, slots=True)
class ListCalls:
    """Pages through calls, newest first."""

    store: Store

    async def __call__(
        self,
        account_id: AccountId,
        line_id: LineId | None,
        peer: Peer | None,
        before: CallId | None,
        limit: int,
    ) -> Page[Call, CallId]:
        """Return a page of up to `limit`, of one line or all, with one peer or all. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            found = await tx.calls.page(line_id, peer, before, limit + 1)
        items = found[:limit]
        return Page(items, items[-1].id if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class ReadCall:
    """Shows one call."""

    store: Store

    async def __call__(self, account_id: AccountId, call_id: CallId) -> Call:
        """Return it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.calls.get_even_broken(call_id)


@dataclass(frozen=True, slots=True)
class DeleteCall:
    """Deletes a call: it is shown no more at once, and gone when the carrier's record is."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, call_id: CallId) -> None:
        """Delete it. Raises NotFound, also when repeated."""

        async def change(tx: Tx) -> None:
            call = await tx.calls.get_even_broken(call_id)
            call.delete(self.clock.now())
            tx.save(call)

        await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ForwardLine:
    """Has a line's calls go on to another telephone."""

    store: Store
    directory: Directory
    plan: NumberingPlan
    spend: Spend

    async def __call__(
        self, account_id: AccountId, line_id: LineId, to: PhoneNumber, when: frozenset[ForwardWhen]
    ) -> PhoneLine:
        """Return the line. Repeating is harmless.

        Raises NotFound, LineNotActive, NotForCalls, EmergencyNumber, UnreachableNumber, DestinationNotAllowed;
        ForwardingLoop for a number that is anybody's line.
        """

        async def change(tx: Tx) -> PhoneLine:
            line = await tx.lines.get_even_broken(line_id)
            line.must_take_calls()
            must_be_callable(self.plan, line, Peer(to))
            if not self.spend.allows(line.country, Peer(to)):
                raise DestinationNotAllowed
            if await self.directory.line(to, fresh=True) is not None:
                raise ForwardingLoop
            line.forward(to, when)
            tx.save(line)
            return line

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class StopForwarding:
    """Has a line's calls go on to no other telephone."""

    store: Store

    async def __call__(self, account_id: AccountId, line_id: LineId) -> PhoneLine:
        """Return the line. Raises NotFound. Repeating is harmless."""

        async def change(tx: Tx) -> PhoneLine:
            line = await tx.lines.get_even_broken(line_id)
            line.forward(None, frozenset())
            tx.save(line)
            return line

        return await self.store.update(account_id, change)
