"""The use case that fetches a voicemail's audio."""

from __future__ import annotations

from dataclasses import dataclass

from application.job_type import NOW, JobType, Provider
from application.ports.clock import Clock
from application.ports.jobs import JobLease
from application.ports.objects import Objects
from application.ports.store import Store, Tx
from application.recorded_audio import FetchRecording
from domain.kernel import AccountId, NotFound, ObjectId
from domain.retention import Retention
from domain.voicemail import Audio, AudioRefusal, VoicemailId, VoicemailLeft

BACKSTOP = Retention().voicemail_audio.keep.days
"""Days after which the store itself deletes a voicemail: counted from when it came here, so never too soon."""


@dataclass(frozen=True, slots=True)
class FetchVoicemail:
    """Fetches a voicemail's audio from the carrier and keeps it; the carrier's copy may go only after that."""

    store: Store
    objects: Objects
    fetch: FetchRecording
    clock: Clock

    async def __call__(self, account_id: AccountId, voicemail_id: VoicemailId, lease: JobLease) -> None:
        """Fetch it, unless it is here. Repeating is harmless.

        Raises CarrierUnavailable, ObjectsUnavailable, NotYetTheAudio: to be tried again.
        """
        try:
            async with self.store.begin(account_id) as tx:
                voicemail = await tx.voicemails.get_even_deleted(voicemail_id)
            voicemail.must_be_whole()
            if voicemail.is_expected:
                kept = await self.fetch(
                    voicemail.ref, account_id, voicemail.object_id, voicemail.created_at, days=BACKSTOP
                )
                await self._commit(account_id, voicemail_id, kept, lease)
        except NotFound:
            # The row is there before the object and goes after it: so whatever this or an earlier try had put goes now.
            await self.objects.delete(account_id, ObjectId(voicemail_id))
            raise

    async def _commit(
        self, account_id: AccountId, voicemail_id: VoicemailId, kept: Audio | AudioRefusal, lease: JobLease
    ) -> None:
        async def change(tx: Tx) -> None:
            voicemail = await tx.voicemails.get_even_deleted(voicemail_id)
            if not voicemail.is_expected:
                raise NotFound  # its time was over meanwhile
            if isinstance(kept, AudioRefusal):
                voicemail.refuse(kept)
            else:
                voicemail.keep(kept, self.clock.now())
            tx.save(voicemail)

        await self.store.update(account_id, change, completing=lease)


JOBS = (
    JobType(
        "fetch_voicemail", FetchVoicemail, after={VoicemailLeft: NOW}, attempts=None, asks=Provider.OBJECTS
    ),
)
