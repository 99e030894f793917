"""The carrier's records of calls: they go once a call is over, and with the account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from application.erasure_step import ErasureStep
from application.hold import Hold, HoldOfJob
from application.job_type import NOW, JobType, Provider
from application.line_release import CLOCK_SKEW, number_to_release
from application.ports.call_clients import CallClients
from application.ports.clock import Clock
from application.ports.jobs import JobLease, Queue
from application.ports.message_carrier import TooEarly
from application.ports.numbers import NumberProvider
from application.ports.store import Store, Tx
from application.ports.voice_carrier import CarrierCall, VoiceCarrier
from application.residue import ClearResidue
from application.spend import Spend
from domain.calls import Call, CallBegan, CallDeleted, CallDirection, CallEnded
from domain.erasure import NO_COUNTS, Erasure, NotYetGone
from domain.kernel import AccountId, CallId, CarrierRef
from domain.residue import Residue
from domain.values import PhoneNumber

SETTLED = timedelta(minutes=2)
"""How long after its end a call's record stays at least: its last reports may still be on their way."""
LONGEST = timedelta(hours=5)
"""No call lasts longer (Twilio: four hours): by then one whose end nobody told us of is over."""
LOOK_AGAIN = timedelta(minutes=5)
BATCH = 500
"""Calls looked at per read."""


@dataclass(frozen=True, slots=True)
class CloseCall:
    """Has the carrier delete its record of a call and of its legs, and gives back what was not spent."""

    store: Store
    queue: Queue
    voice: VoiceCarrier
    spend: Spend
    clock: Clock

    async def __call__(self, account_id: AccountId, call_id: CallId, lease: JobLease) -> None:
        """Delete the record, and read back that it is gone. Repeating is harmless.

        Raises JobGone, and to be tried again CarrierUnavailable, TooEarly, NotYetGone. Of a call that was altered the
        record goes with what the carrier lists for the number: its reference may be another's.
        """
        async with self.store.begin(account_id) as tx:
            call = await tx.calls.get_even_deleted(call_id)
            lines = await tx.lines.list_all() if call.direction is CallDirection.OUTBOUND else []
            own = any(line.id == call.line_id and call.is_to_itself(line.number) for line in lines)
        if call.altered or (call.record_deleted_at is not None and not call.is_deleted):
            return
        found, legs = await self._over(call)
        if call.ref is not None and self.voice.voice_abilities.can_delete_records:
            self._must_have_settled(call)
            hold = HoldOfJob(self.queue, account_id, lease)
            for ref in (*(leg.ref for leg in legs), call.ref):
                await self._delete(ref, hold)
        if own and found is not None and found.outcome.talked:
            legs = [found]  # nobody else was called: the person's own leg is what it cost
        await self._commit(call, legs, lease)

    async def _over(self, call: Call) -> tuple[CarrierCall | None, list[CarrierCall]]:
        """Return a call that is over, and its legs. Raises TooEarly while it is not, or may yet begin."""
        if call.ref is None:
            if not call.is_over and self.clock.now() < call.started_at + LONGEST:
                raise TooEarly(LONGEST)
            return None, []
        found, legs = await self.voice.look_up_call(call.ref), await self.voice.legs(call.ref)
        if not all(each.is_over for each in (found, *legs) if each is not None):
            raise TooEarly(LOOK_AGAIN)
        return found, legs

    def _must_have_settled(self, call: Call) -> None:
        settles = self.voice.voice_abilities.record_settles_after
        left = (call.ended_at or call.started_at) + settles - self.clock.now()
        if left > timedelta():
            raise TooEarly(left)

    async def _delete(self, ref: CarrierRef, hold: Hold) -> None:
        await hold()
        await self.voice.delete_record(ref)
        if await self.voice.look_up_call(ref) is not None:
            raise NotYetGone

    async def _commit(self, closed: Call, legs: list[CarrierCall], lease: JobLease) -> None:
        """Commit that the record is gone; then give back what the call had been reckoned to cost and did not."""

        async def change(tx: Tx) -> tuple[int, PhoneNumber | None]:
            call, now = await tx.calls.get_even_deleted(closed.id), self.clock.now()
            if call.direction is CallDirection.OUTBOUND:
                for leg in legs:  # what the lost reports would have said
                    call.reach(leg.outcome, leg.duration)
            if not call.is_over:
                call.end(now)
            taken, to = call.settle_cost(), await self._called(tx, call)
            if call.is_deleted:
                tx.remove(call)
            else:
                call.carrier_record_deleted(now)
                tx.save(call)
            return taken, to

        taken, to = await self.store.update(closed.account_id, change, completing=lease)
        if taken:
            seconds = max((leg.duration for leg in legs), default=closed.duration)
            await self.spend.give_back(closed.account_id, to, seconds, taken)

    async def _called(self, tx: Tx, call: Call) -> PhoneNumber | None:
        """Return whom we paid for: the other side, or the telephone to which the line forwards."""
        if call.direction is CallDirection.OUTBOUND:
            return None if call.peer is None else PhoneNumber(call.peer)
        lines = [line for line in await tx.lines.list_all() if line.id == call.line_id]
        return lines[0].forward_to if lines else None


@dataclass(frozen=True, slots=True)
class DeleteCallRecords(ErasureStep):
    """Erasure: the carrier's records of the account's calls go, once no number of it can be called any more."""

    name: ClassVar[str] = "call_records"
    needs_keys: ClassVar[bool] = True

    store: Store
    voice: VoiceCarrier
    clients: CallClients
    numbers: NumberProvider
    clear_residue: ClearResidue

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Delete the records and look for them. Raises NotYetGone, CarrierUnavailable. Repeating is harmless.

        Where the carrier offers no deletion, `calls_unsupported` counts those that we know of.
        """
        abilities, unsupported = self.voice.voice_abilities, 0
        async for refs in self._refs(erasure.account_id):
            if abilities.can_delete_records:
                found = [ref for known in refs for ref in (*await self._legs(known), known)]
                await self.store.add_residue([Residue.call(erasure.account_id, ref) for ref in found])
            else:
                unsupported += len(refs)
        await self.clear_residue(erasure, hold)
        return {"calls_unsupported": unsupported} if unsupported else NO_COUNTS

    async def _refs(self, account_id: AccountId) -> AsyncIterator[list[CarrierRef]]:
        """Yield what we know of, then what the carrier lists for each lease."""
        after: CallId | None = None
        while True:
            async with self.store.begin(account_id) as tx:
                calls = await tx.calls.with_carrier_record(after, BATCH)
            if not calls:
                break
            yield [call.ref for call in calls if call.ref is not None and not call.altered]
            after = calls[-1].id
        if not self.voice.voice_abilities.can_list_calls:
            return
        async with self.store.begin(account_id) as tx:
            lines = await tx.lines.list_all()
        for line in lines:
            number = await number_to_release(self.numbers, line)
            if number is not None:
                since, until = line.created_at - CLOCK_SKEW, line.released_at
                client = await self.clients.identity(account_id, line.id)
                listed = await self.voice.list_calls(number, client)
                yield [c.ref for c in listed if since <= c.at and (until is None or c.at <= until)]

    async def _legs(self, ref: CarrierRef) -> list[CarrierRef]:
        return [leg.ref for leg in await self.voice.legs(ref)]


JOBS = (
    JobType(
        "close_call",
        CloseCall,
        after={CallBegan: LONGEST, CallEnded: SETTLED, CallDeleted: NOW},
        attempts=None,
        asks=Provider.CARRIER,
    ),
)
