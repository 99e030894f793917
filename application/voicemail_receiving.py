"""The use case that takes in what a caller left on a line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from application.carrier_recordings import taking_in
from application.inbound_messages import passing_over_the_erased
from application.ports.clock import Clock
from application.ports.directory import Directory, Lease
from application.ports.ids import Ids
from application.ports.jobs import Job
from application.ports.recordings import Recordings
from application.ports.store import Store, Tx
from application.ports.transcriber import Transcriber
from application.spoken_greetings import ReceiveGreeting
from application.voicemail_deletion import EXPIRE_VOICEMAIL, LONGEST_WAIT
from domain.kernel import CarrierRef
from domain.retention import Retention
from domain.values import Peer, PhoneNumber
from domain.voicemail import SHORTEST, TranscriptAbsence, Voicemail, VoicemailId


@dataclass(frozen=True, slots=True)
class InboundVoicemail:
    """A voicemail as the carrier hands it over, cut down to what Pico keeps.

    `caller` is None where it was withheld. Where `called` or `length` is None, the carrier is asked about both numbers
    and the length, and believed in what it knows. Once it is `finished` the carrier has the audio, or never will.
    """

    ref: CarrierRef
    called: PhoneNumber | None = None
    caller: Peer | None = None
    length: timedelta | None = None
    finished: bool = True


@dataclass(frozen=True, slots=True)
class ReceiveVoicemail:
    """Stores a voicemail for the line that leases its number; one for anybody else goes at the carrier, too."""

    store: Store
    directory: Directory
    recordings: Recordings
    transcriber: Transcriber
    greeting: ReceiveGreeting
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(self, inbound: InboundVoicemail) -> None:
        """Store it. Repeating is harmless: each recording is taken in once, whatever became of it.

        A recording too short to be a message, or for a number that nobody leases, is deleted at the carrier once it is
        finished. Raises CarrierUnavailable, KeyGone when the account's key is lost: it may yet be stored.
        """
        called, caller, length = inbound.called, inbound.caller, inbound.length
        if called is None or length is None:
            known = await self.recordings.look_up(inbound.ref)
            if known is None:
                return  # nothing is there to be kept
            # Where the carrier does not say, whoever tells of it knows more of the call.
            if known.called is not None:
                called, caller = known.called, known.caller
            length = known.length
            if known.of_app and known.is_message:
                if inbound.finished:
                    await self.greeting(inbound.ref, known)
                return  # whatever an app's person said is no message to them
            if called is None or not known.is_message:
                return  # whose it is cannot be told, or it is none of ours to keep
        taken = length >= SHORTEST and await self._stored(inbound.ref, called, caller, length)
        if not taken and inbound.finished:
            await self.recordings.delete(inbound.ref)

    async def _stored(
        self, ref: CarrierRef, called: PhoneNumber, caller: Peer | None, length: timedelta
    ) -> bool:
        """Store it for the line that leases the number; tell whether there is one that takes it."""
        for fresh in (False, True):  # a remembered lease may be over: ask anew, once
            lease = await self.directory.line(called, fresh=fresh)
            if lease is None:
                return False
            async with passing_over_the_erased(self.store, lease, fresh=fresh):
                if await self._accept(lease, ref, called, caller, length):
                    return True
        return False

    async def _accept(
        self, lease: Lease, ref: CarrierRef, called: PhoneNumber, caller: Peer | None, length: timedelta
    ) -> bool:
        """Commit it to this line. Tell whether the line takes it, or took it before."""
        operation = taking_in(ref)

        async def change(tx: Tx) -> bool:
            line = await tx.lines.get(lease.line_id)
            line.must_be_of(called)
            if await tx.idempotency.earlier_result(operation) is not None:
                return True
            if not line.takes_messages_in:
                return False
            tx.require_unchanged(line)
            account, now = await tx.accounts.get_even_broken(), self.clock.now()
            language = None if "locale" in account.unreadable else account.locale
            absence = self.transcriber.declines(language, length)
            if line.is_restricted:
                absence = TranscriptAbsence.RESTRICTED
            voicemail = Voicemail.leave(
                lease.account_id, VoicemailId(self.ids.new()), lease.line_id, caller, ref,
                length, absence, now,
            )  # fmt: skip
            tx.save(voicemail)
            tx.never_again(operation)
            wait = min(self.retention.voicemail_audio.keep, LONGEST_WAIT)
            tx.queue(Job(EXPIRE_VOICEMAIL, lease.account_id, voicemail.id, wait))
            return True

        return await self.store.update(lease.account_id, change)
