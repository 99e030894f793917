"""Use case of what the carrier reports of a call by itself: it rings, somebody answered, it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from application.inbound_calls import call_taken, is_blocked, known_call
from application.inbound_messages import is_refusing, passing_over_the_erased
from application.outbound_calls import adopt
from application.ports.call_clients import CallClients
from application.ports.clock import Clock
from application.ports.directory import Directory, Lease
from application.ports.ids import Ids
from application.ports.store import Store, Tx
from domain.call_instructions import ClientIdentity
from domain.calls import Call, CallDirection, CallOutcome
from domain.kernel import CallId, CarrierRef, LineId
from domain.lines import PhoneLine
from domain.values import Peer, PhoneNumber


@dataclass(frozen=True, slots=True)
class CallReport:
    """A report, cut down to what Pico keeps. `peer` is the other side, `ref` the call's, not a leg's.

    `ours` is the line's number, or the name of its apps where the report is about ringing them.

    Carriers number their reports. The numbers are not needed: whatever the order, the outcome that says most stands.
    """

    ref: CarrierRef
    ours: PhoneNumber | ClientIdentity
    peer: Peer | None
    direction: CallDirection
    outcome: CallOutcome | None
    """None: it says nothing of how the call came out, as where it is about the caller's own half of it."""
    duration: int = 0
    is_over: bool = False
    line_id: LineId | None = None
    call_id: CallId | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    """Where it is told long afterwards: when it was. Else it is now."""


@dataclass(frozen=True, slots=True)
class ApplyCallReport:
    """Applies a report to a call of the account that holds the number now, and of no other."""

    store: Store
    directory: Directory
    clients: CallClients
    clock: Clock
    ids: Ids

    async def __call__(self, report: CallReport) -> None:
        """Apply the report; one that comes before all others begins the call. Any order and repetition ends the same.

        Raises KeyGone when the account's key is lost, SealBroken when the line was altered.
        """
        for fresh in (False, True):
            lease = await self._lease(report, fresh=fresh)
            if lease is None:
                return
            async with passing_over_the_erased(self.store, lease, fresh=fresh):
                if report.line_id in {None, lease.line_id} and await self.apply(lease, report):
                    return

    async def _lease(self, report: CallReport, *, fresh: bool) -> Lease | None:
        if isinstance(report.ours, PhoneNumber):
            return await self.directory.line(report.ours, fresh=fresh)
        owner = await self.clients.owner(report.ours)
        return None if owner is None else Lease(*owner)

    async def apply(self, lease: Lease, report: CallReport) -> bool:
        """Commit the report; tell whether the line still leases the number."""

        async def change(tx: Tx) -> bool:
            line = await tx.lines.get(lease.line_id)
            if isinstance(report.ours, PhoneNumber):
                line.must_be_of(report.ours)
            if not line.holds_number:
                return False
            call = await known_call(tx, report.ref)
            if call is None and report.call_id is not None:
                call = await placed_call(tx, report.call_id, report.ref)
            if call is None:
                call = await self._begun(tx, line, report)
            if call is None or call.is_deleted or call.altered:
                return True
            if report.outcome is not None:
                call.reach(report.outcome, report.duration)
            if report.is_over:
                call.end(report.ended_at or self.clock.now())
            tx.save(call)
            return True

        return await self.store.update(lease.account_id, change)

    async def _begun(self, tx: Tx, line: PhoneLine, report: CallReport) -> Call | None:
        """Put a call on record of which this report is the first that we hear; None where nothing is to be kept."""
        if await tx.idempotency.earlier_result(call_taken(report.ref)) is not None:
            return None
        if not line.takes_calls_in:
            if await is_refusing(tx):
                tx.never_again(call_taken(report.ref))  # else it would be found once the freeze is over
            return None
        tx.require_unchanged(line)
        now, call_id = report.began_at or self.clock.now(), CallId(self.ids.new())
        tx.never_again(call_taken(report.ref))
        if report.direction is CallDirection.INBOUND and await is_blocked(tx, report.peer):
            call = Call.deleted_on_arrival(line.account_id, call_id, line.id, report.ref, now)
            tx.save(call)
            return call
        return Call.begin(
            line.account_id, call_id, line.id,
            direction=report.direction, peer=report.peer, ref=report.ref, at=now,
        )  # fmt: skip


async def placed_call(tx: Tx, call_id: CallId, ref: CarrierRef) -> Call | None:
    """Return a call that we asked the carrier for, which now names its reference; None where there is none such."""
    call = await tx.calls.get_even_deleted(call_id)
    if call.ref not in {None, ref} or call.direction is not CallDirection.OUTBOUND:
        return None
    adopt(tx, call, ref)
    return call
