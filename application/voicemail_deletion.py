"""Use cases that delete voicemail: the carrier's copy, what the person deleted, audio that was kept for its time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from application.erasure_step import ErasureStep
from application.hold import Hold, HoldOfJob
from application.job_type import NOW, JobType, Provider
from application.ports.clock import Clock
from application.ports.jobs import Job, JobLease, Queue
from application.ports.objects import Objects
from application.ports.recordings import Recordings
from application.ports.store import Store, Tx
from application.residue import ClearResidue
from domain.erasure import NO_COUNTS, Erasure, NotYetGone
from domain.kernel import AccountId, CarrierRef
from domain.residue import Residue
from domain.retention import Retention
from domain.voicemail import (
    UNDO_FOR,
    Voicemail,
    VoicemailDeleted,
    VoicemailExpired,
    VoicemailId,
    VoicemailKept,
    VoicemailSettled,
)

EXPIRE_VOICEMAIL, PURGE_VOICEMAIL = "expire_voicemail", "purge_voicemail"
DELETE_RECORDING = "delete_recording"
COPY_KEPT = timedelta(minutes=2)
"""How long the carrier's copy stays at least: what it tells of a recording may come twice within moments."""
LONGEST_WAIT = timedelta(days=7)
"""How far ahead a job is put off at most (`application.recall`): then it looks again."""
CLOCK_SKEW = timedelta(seconds=30)
"""How far the queue's clock may be from ours."""
BATCH = 500
"""Voicemails looked at per read."""


async def refs_at_carrier(store: Store, recordings: Recordings, voicemail: Voicemail) -> list[CarrierRef]:
    """Return what the carrier may hold of a voicemail, by reference.

    An altered one may name somebody else's: it counts if it was left at a number of the account.
    """
    if not voicemail.has_carrier_copy and not voicemail.altered:
        return []
    if not voicemail.altered:
        return [ref for ref in (voicemail.transcription, voicemail.ref) if ref is not None]
    known = await recordings.look_up(voicemail.ref)
    async with store.begin(voicemail.account_id) as tx:
        numbers = {
            line.number for line in await tx.lines.list_all() if line.holds_number and not line.altered
        }
    return [voicemail.ref] if known is not None and known.called in numbers else []


async def delete_recording(recordings: Recordings, ref: CarrierRef, hold: Hold) -> None:
    """Have a recording or a transcript deleted and read back. Raises CarrierUnavailable; NotYetGone."""
    await hold()
    await recordings.delete(ref)
    if await recordings.holds(ref):
        raise NotYetGone


@dataclass(frozen=True, slots=True)
class DeleteRecording:
    """Deletes the carrier's copy of a voicemail, once ours was read back and its transcript came, or will not come."""

    store: Store
    queue: Queue
    recordings: Recordings
    clock: Clock

    async def __call__(self, account_id: AccountId, voicemail_id: VoicemailId, lease: JobLease) -> None:
        """Delete the copy. Repeating is harmless. Raises JobGone, CarrierUnavailable, NotYetGone."""
        async with self.store.begin(account_id) as tx:
            voicemail = await tx.voicemails.get_even_deleted(voicemail_id)
        if voicemail.altered or not voicemail.copy_may_go or not voicemail.has_carrier_copy:
            return  # of a voicemail that we cannot read the carrier's copy may be all there is
        hold = HoldOfJob(self.queue, account_id, lease)
        for ref in await refs_at_carrier(self.store, self.recordings, voicemail):
            await delete_recording(self.recordings, ref, hold)

        async def change(tx: Tx) -> None:
            now = await tx.voicemails.get_even_deleted(voicemail_id)
            if now.transcription == voicemail.transcription:  # else a later transcript has a job of its own
                now.carrier_copy_deleted(self.clock.now())
                tx.save(now)

        await self.store.update(account_id, change, completing=lease)


@dataclass(frozen=True, slots=True)
class PurgeVoicemail:
    """Purges a voicemail that the person deleted, once that cannot be undone any more: audio, carrier's copy, row."""

    store: Store
    queue: Queue
    recordings: Recordings
    objects: Objects
    clock: Clock

    async def __call__(self, account_id: AccountId, voicemail_id: VoicemailId, lease: JobLease) -> None:
        """Purge it. Repeating is harmless. Raises JobGone, ObjectsUnavailable, CarrierUnavailable, NotYetGone."""
        async with self.store.begin(account_id) as tx:
            voicemail = await tx.voicemails.get_even_deleted(voicemail_id)
        until = voicemail.undo_until
        if until is None:
            return
        if (wait := until - self.clock.now()) > timedelta():
            await put_off(
                self.store, Job(PURGE_VOICEMAIL, account_id, voicemail_id, wait + CLOCK_SKEW), lease
            )
            return

        async def let_go(tx: Tx) -> None:
            going = await tx.voicemails.get_even_deleted(voicemail_id)
            going.let_go()
            tx.save(going)

        if not voicemail.altered:
            await self.store.update(account_id, let_go)  # first, as below
        await self.objects.delete(account_id, voicemail.object_id)
        hold = HoldOfJob(self.queue, account_id, lease)
        for ref in await refs_at_carrier(self.store, self.recordings, voicemail):
            await delete_recording(self.recordings, ref, hold)

        async def change(tx: Tx) -> None:
            tx.remove(await tx.voicemails.get_even_deleted(voicemail_id))

        await self.store.update(account_id, change, completing=lease)


@dataclass(frozen=True, slots=True)
class ExpireVoicemail:
    """Deletes the audio of a voicemail once it has been kept for its time; the transcript stays (clause T3)."""

    store: Store
    objects: Objects
    clock: Clock
    retention: Retention

    async def __call__(self, account_id: AccountId, voicemail_id: VoicemailId, lease: JobLease) -> None:
        """Delete the audio if it is due. Repeating is harmless. Raises ClocksDisagree, SealBroken."""
        async with self.store.begin(account_id) as tx:
            voicemail = await tx.voicemails.get_even_deleted(voicemail_id)
        voicemail.must_be_whole()
        rule, now = self.retention.voicemail_audio, await self.clock.agreed()
        if not rule.due(voicemail.created_at, now):
            wait = min(rule.ends(voicemail.created_at) - now + CLOCK_SKEW, LONGEST_WAIT)
            await put_off(self.store, Job(EXPIRE_VOICEMAIL, account_id, voicemail_id, wait), lease)
            return

        async def expire(tx: Tx) -> None:
            expired = await tx.voicemails.get_even_deleted(voicemail_id)
            expired.expire(now)
            tx.save(expired)

        async def complete(tx: Tx) -> None:
            await tx.voicemails.get_even_deleted(voicemail_id)

        await self.store.update(
            account_id, expire
        )  # first: whoever seals it anew meanwhile sees that it goes
        await self.objects.delete(account_id, voicemail.object_id)
        await self.store.update(account_id, complete, completing=lease)


async def put_off(store: Store, job: Job, lease: JobLease) -> None:
    """Have a job done later, and end this one."""

    async def change(tx: Tx) -> None:
        tx.queue(job)

    await store.update(job.account_id, change, completing=lease)


@dataclass(frozen=True, slots=True)
class DeleteRecordings(ErasureStep):
    """Erasure: what the carrier holds of the account's voicemail and greetings goes."""

    name: ClassVar[str] = "recordings"
    needs_keys: ClassVar[bool] = True

    store: Store
    clear_residue: ClearResidue

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Delete recordings and transcripts, and look for them. Raises NotYetGone, CarrierUnavailable. Repeatable.

        A greeting that the person said on the telephone is a recording, too.
        """
        async for refs in self._known(erasure.account_id):
            await self.store.add_residue([Residue.recording(erasure.account_id, ref) for ref in refs])
        spoken = await self._greetings(erasure.account_id)
        await self.store.add_residue([Residue.recording(erasure.account_id, ref) for ref in spoken])
        await self.clear_residue(erasure, hold)
        return NO_COUNTS

    async def _known(self, account_id: AccountId) -> AsyncIterator[list[CarrierRef]]:
        after = None
        while True:
            async with self.store.begin(account_id) as tx:
                found = await tx.voicemails.with_carrier_copy(after, BATCH)
            if not found:
                return
            whole = [voicemail for voicemail in found if not voicemail.altered]
            yield [ref for each in whole for ref in (each.transcription, each.ref) if ref is not None]
            after = found[-1].id

    async def _greetings(self, account_id: AccountId) -> list[CarrierRef]:
        async with self.store.begin(account_id) as tx:
            held = await tx.greetings.with_carrier_copy()
        return [each.ref for each in held if each.ref is not None and not each.altered]


JOBS = (
    JobType(
        DELETE_RECORDING,
        DeleteRecording,
        after={VoicemailKept: COPY_KEPT, VoicemailSettled: COPY_KEPT, VoicemailExpired: NOW},
        attempts=None,
        asks=Provider.CARRIER,
    ),
    JobType(
        PURGE_VOICEMAIL,
        PurgeVoicemail,
        after={VoicemailDeleted: UNDO_FOR},
        attempts=None,
        asks=Provider.OBJECTS,
    ),
    JobType(EXPIRE_VOICEMAIL, ExpireVoicemail, attempts=None, asks=Provider.OBJECTS),
)
