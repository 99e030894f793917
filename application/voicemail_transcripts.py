"""Use cases of transcripts: one that comes by itself, and one that has to be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from application.inbound_messages import passing_over_the_erased
from application.job_type import JobType, Provider
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.jobs import JobLease
from application.ports.recordings import Recordings
from application.ports.store import Store, Tx
from application.ports.transcriber import Transcriber, Transcription
from application.voicemail_receiving import InboundVoicemail, ReceiveVoicemail
from domain.kernel import AccountId, CarrierRef, ErrorKind, PicoError
from domain.values import Peer, PhoneNumber
from domain.voicemail import TranscriptAbsence, TranscriptState, Voicemail, VoicemailId, VoicemailLeft

FIRST_LOOK = timedelta(minutes=2)
"""By then nearly every transcript has come by itself."""


class TranscriptUnderWay(PicoError):
    """The transcript is still being made: the transcriber is asked again later."""

    kind = ErrorKind.UNAVAILABLE
    code = "transcript_under_way"

    def __init__(self, after: timedelta) -> None:
        """Have it asked again `after`."""
        self.retry_after = after
        super().__init__()


@dataclass(frozen=True, slots=True)
class InboundTranscript:
    """A transcript as the carrier hands it over, of the recording `of` that `caller` left at `called`."""

    of: CarrierRef
    called: PhoneNumber
    caller: Peer | None
    transcription: Transcription


def written_down(voicemail: Voicemail, transcription: Transcription, clock: Clock) -> None:
    """Note what a transcriber made of a voicemail."""
    if transcription.text is None:
        voicemail.go_without(transcription.absence, clock.now())
    else:
        voicemail.write_down(transcription.text, clock.now())


@dataclass(frozen=True, slots=True)
class ApplyTranscript:
    """Writes a transcript into its voicemail, taking that in first where nobody has told of it yet."""

    store: Store
    directory: Directory
    recordings: Recordings
    receive_voicemail: ReceiveVoicemail
    clock: Clock

    async def __call__(self, inbound: InboundTranscript) -> None:
        """Write it down. Any order and repetition ends the same. Raises CarrierUnavailable, KeyGone.

        One that is of no voicemail, or of one that was deleted, is deleted at the carrier.
        """
        if not await self._applied(inbound):
            await self.receive_voicemail(
                InboundVoicemail(inbound.of, inbound.called, inbound.caller, length=None)
            )
            if not await self._applied(inbound):
                await self.recordings.delete(inbound.transcription.ref)

    async def _applied(self, inbound: InboundTranscript) -> bool:
        """Commit it to the voicemail; tell whether there is one."""
        for fresh in (False, True):
            lease = await self.directory.line(inbound.called, fresh=fresh)
            if lease is None:
                return False
            async with passing_over_the_erased(self.store, lease, fresh=fresh):
                if await self._commit(lease.account_id, inbound):
                    return True
        return False

    async def _commit(self, account_id: AccountId, inbound: InboundTranscript) -> bool:
        async def change(tx: Tx) -> bool:
            voicemail = await tx.voicemails.by_ref(inbound.of)
            if voicemail is None or voicemail.altered:
                return False
            voicemail.transcribed_at_carrier(inbound.transcription.ref)
            written_down(voicemail, inbound.transcription, self.clock)
            tx.save(voicemail)
            return True

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class FollowTranscript:
    """Asks what became of a transcript when nobody tells: none is waited for for ever."""

    store: Store
    transcriber: Transcriber
    clock: Clock

    async def __call__(self, account_id: AccountId, voicemail_id: VoicemailId, lease: JobLease) -> None:
        """Ask, and note the answer. Raises TranscriptUnderWay, CarrierUnavailable. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            voicemail = await tx.voicemails.get_even_deleted(voicemail_id)
        voicemail.must_be_whole()
        if voicemail.transcript_state is not TranscriptState.PENDING:
            return
        ends, now = voicemail.created_at + self.transcriber.patience, self.clock.now()
        found = await self.transcriber.transcript_of(voicemail.ref)
        if found is None and now < ends:
            raise TranscriptUnderWay(min(now - voicemail.created_at, ends - now))

        async def change(tx: Tx) -> None:
            settled = await tx.voicemails.get_even_deleted(voicemail_id)
            if found is None:
                settled.go_without(TranscriptAbsence.NEVER_CAME, now)
            else:
                settled.transcribed_at_carrier(found.ref)
                written_down(settled, found, self.clock)
            tx.save(settled)

        await self.store.update(account_id, change, completing=lease)


JOBS = (
    JobType(
        "follow_transcript",
        FollowTranscript,
        after={VoicemailLeft: FIRST_LOOK},
        attempts=None,
        asks=Provider.CARRIER,
    ),
)
