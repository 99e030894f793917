"""The use case that compares a carrier's calls and recordings of a line with ours, in case its webhooks were missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from application.call_progress import ApplyCallReport, CallReport
from application.call_records import LONGEST
from application.carrier_recordings import RefuseRecording, taking_in
from application.hold import Hold, HoldOfJob
from application.inbound_calls import call_taken
from application.job_type import JobType, Provider
from application.ports.call_clients import CallClients
from application.ports.clock import Clock
from application.ports.directory import Lease
from application.ports.jobs import JobLease, Queue
from application.ports.recordings import Recordings
from application.ports.store import Store
from application.ports.voice_carrier import ListedCall, VoiceCarrier
from application.spoken_greetings import ReceiveGreeting
from application.voicemail_deletion import delete_recording
from application.voicemail_receiving import InboundVoicemail, ReceiveVoicemail
from domain.calls import Call, CallDirection
from domain.erasure import NotYetGone
from domain.kernel import AccountId, CarrierRef, LineId
from domain.lines import PhoneLine
from domain.values import Peer

RECONCILE_CALLS = "reconcile_calls"
SETTLED_AFTER = timedelta(hours=1)
"""Younger calls are left to the webhooks, and to the jobs that follow from them."""
LOOK_BACK = timedelta(days=1)
"""How old calls of ours are of which recordings are looked for: several looks go by within it."""
MOST = 500
"""Calls of ours that are looked at."""


@dataclass(frozen=True, slots=True)
class ReconcileCalls:
    """Takes in calls and voicemail of which nobody told us, ends calls that hang, and has deleted what we do not hold.

    What it does not understand it leaves alone: calls from before the lease above all.
    """

    store: Store
    queue: Queue
    voice: VoiceCarrier
    recordings: Recordings
    clients: CallClients
    clock: Clock
    apply_report: ApplyCallReport
    receive: ReceiveVoicemail
    greeting: ReceiveGreeting
    refuse: RefuseRecording

    async def __call__(self, account_id: AccountId, line_id: LineId, lease: JobLease) -> None:
        """Compare. Raises CarrierUnavailable, NotYetGone: to be tried again. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            line = await tx.lines.get(line_id)
        hold = HoldOfJob(self.queue, account_id, lease)
        if line.takes_calls_in:
            listed = await self._settled(line)
            callers = {call.ref: call.peer for call in listed if call.parent is None and call.is_inbound}
            for call in listed:
                await self._compare(line, call, hold)
            ours = await self._ours(line)
            own = {call.ref for call in ours if call.is_to_itself(line.number)}
            for ref, caller in {**callers, **{call.ref: call.peer for call in ours if call.ref}}.items():
                await self._take_in_recordings(line, ref, caller, hold, own=ref in own)

    async def _settled(self, line: PhoneLine) -> list[ListedCall]:
        """List what belongs to this lease and is no news any more."""
        if not self.voice.voice_abilities.can_list_calls:
            return []
        since = line.created_at.replace(microsecond=0)  # carriers date by the second
        until = self.clock.now() - SETTLED_AFTER
        client = await self.clients.identity(line.account_id, line.id)
        listed = await self.voice.list_calls(line.number, client)
        return [call for call in listed if since <= call.at <= until]

    async def _compare(self, line: PhoneLine, call: ListedCall, hold: Hold) -> None:
        """Take a call in of which nobody told us, end one that hangs, or have the record deleted that we do not hold.

        A call that goes out and of which nobody asked us was put through to nobody.
        """
        now = self.clock.now()
        if not call.is_over and call.at + LONGEST <= now:
            await hold()
            await self.voice.end_call(call.ref)
            return
        held, taken = await self._held(line.account_id, call.parent or call.ref)
        if (held is None and not taken and call.parent is None and call.is_inbound) or (
            held is not None and not held.is_over and call.is_over and call.parent is None
        ):
            await self._report(line, call)
        elif call.is_over and (held is None or not held.has_carrier_record) and now >= self._deletable(call):
            await self._delete(call.ref, hold)

    def _deletable(self, call: ListedCall) -> datetime:
        return call.at + timedelta(seconds=call.duration) + self.voice.voice_abilities.record_settles_after

    async def _held(self, account_id: AccountId, ref: CarrierRef) -> tuple[Call | None, bool]:
        """Return the call that is on record, and whether it ever was."""
        async with self.store.begin(account_id) as tx:
            held = await tx.calls.by_ref(ref)
            return held, held is not None or await tx.idempotency.earlier_result(call_taken(ref)) is not None

    async def _report(self, line: PhoneLine, call: ListedCall) -> None:
        await self.apply_report.apply(
            Lease(line.account_id, line.id),
            CallReport(
                call.ref, line.number, call.peer,
                CallDirection.INBOUND if call.is_inbound else CallDirection.OUTBOUND,
                None, is_over=call.is_over, began_at=call.at,
                ended_at=call.at + timedelta(seconds=call.duration) if call.is_over else None,
            ),
        )  # fmt: skip

    async def _delete(self, ref: CarrierRef, hold: Hold) -> None:
        if not self.voice.voice_abilities.can_delete_records:
            return
        await hold()
        await self.voice.delete_record(ref)
        if await self.voice.look_up_call(ref) is not None:
            raise NotYetGone

    async def _ours(self, line: PhoneLine) -> list[Call]:
        """Return recent calls of ours in which something may have been left: their record may have gone already."""
        now = self.clock.now()
        async with self.store.begin(line.account_id) as tx:
            recent = await tx.calls.page(line.id, None, None, MOST)
        return [
            call
            for call in recent
            if call.ref is not None and not call.altered
            if call.direction is CallDirection.INBOUND or call.is_to_itself(line.number)
            if now - LOOK_BACK <= call.started_at <= now - SETTLED_AFTER
        ]

    async def _take_in_recordings(
        self, line: PhoneLine, call: CarrierRef, caller: Peer | None, hold: Hold, *, own: bool
    ) -> None:
        """Take in what was said and nobody told us of; have what was taken in before be gone at the carrier.

        Callers leave messages; on the person's `own` call it is their greeting.
        """
        for ref in await self.recordings.of_call(call):
            async with self.store.begin(line.account_id) as tx:
                held = await tx.voicemails.by_ref(ref)
                taken = await tx.idempotency.earlier_result(taking_in(ref)) is not None
                spoken = any(each.ref == ref for each in await tx.greetings.of_line(line.id))
            if spoken:
                continue  # its own job has it
            if held is None and not taken and own:
                known = await self.recordings.look_up(ref)
                if known is not None and known.is_message:
                    lease = Lease(line.account_id, line.id)
                    await self.greeting.of_line(lease, ref, known)
                await self.refuse(ref)
            elif held is None and not taken:
                await self.receive(InboundVoicemail(ref, line.number, caller, length=None))
                await self.refuse(ref)
            elif held is None or held.copy_deleted_at is not None:
                await delete_recording(self.recordings, ref, hold)


JOBS = (JobType(RECONCILE_CALLS, ReconcileCalls, attempts=None, asks=Provider.CARRIER),)
