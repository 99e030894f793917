"""Use cases of a greeting that the person says on the telephone, to their own line and to nobody else."""

from __future__ import annotations

from dataclasses import dataclass

from application.carrier_recordings import RefuseRecording, owner_of, taking_in
from application.greetings import replace_with
from application.inbound_messages import passing_over_the_erased
from application.job_type import NOW, JobType, Provider
from application.ports.call_clients import CallClients
from application.ports.clock import Clock
from application.ports.directory import Directory, Lease
from application.ports.ids import Ids
from application.ports.jobs import JobLease
from application.ports.objects import Objects
from application.ports.recordings import Recorded, Recordings
from application.ports.store import Store, Tx
from application.recorded_audio import FetchRecording
from domain.greetings import (
    LARGEST_GREETING,
    Greeting,
    GreetingId,
    GreetingSound,
    GreetingSpoken,
    GreetingState,
)
from domain.kernel import AccountId, CarrierRef, NotFound, ObjectId
from domain.voicemail import SHORTEST, Audio, AudioRefusal


@dataclass(frozen=True, slots=True)
class ReceiveGreeting:
    """Takes in what the carrier recorded of an app's call, if that was one to its own line; nothing else is kept."""

    store: Store
    directory: Directory
    clients: CallClients
    recordings: Recordings
    refuse: RefuseRecording
    clock: Clock
    ids: Ids

    async def __call__(self, ref: CarrierRef, known: Recorded) -> None:
        """Take it in. Repeating is harmless. Raises CarrierUnavailable, KeyGone when the account's key is lost.

        What was recorded of any other call of an app is refused.
        """
        lease = await self._lease(known)
        if lease is None:
            await self.refuse.deleted(ref, known)
        else:
            await self.of_line(lease, ref, known)

    async def of_line(self, lease: Lease, ref: CarrierRef, known: Recorded) -> None:
        """Do the same where it is known whose apps were on the call."""
        was_asked, taken = False, False
        async with passing_over_the_erased(self.store, lease, fresh=True):
            was_asked, taken = await self._accept(lease, ref, known)
        if not was_asked:
            await self.refuse.deleted(ref, known)
        elif not taken:
            await self.recordings.delete(ref)

    async def _lease(self, known: Recorded) -> Lease | None:
        if known.client is not None:
            return await owner_of(known.client, self.clients, self.directory)
        return None if known.caller is None else await self.directory.line(known.caller, fresh=True)

    async def _accept(self, lease: Lease, ref: CarrierRef, known: Recorded) -> tuple[bool, bool]:
        """Commit it to the line. Tell whether its person was asked to speak, and whether it is taken, now or before.

        One that is too short is somebody who hung up: callers go on hearing what they heard.
        """
        operation = taking_in(ref)

        async def change(tx: Tx) -> tuple[bool, bool]:
            line = await tx.lines.get(lease.line_id)
            call = None if known.call is None else await tx.calls.by_ref(known.call)
            if call is None or call.line_id != line.id or not call.is_to_itself(line.number):
                return False, False
            if await tx.idempotency.earlier_result(operation) is not None:
                return True, True
            if not line.lets_calls_out or known.length < SHORTEST:
                return True, False
            tx.require_unchanged(line)
            tx.save(
                Greeting.spoken(line.account_id, GreetingId(self.ids.new()), line.id, ref, self.clock.now())
            )
            tx.never_again(operation)
            return True, True

        return await self.store.update(lease.account_id, change)


@dataclass(frozen=True, slots=True)
class FetchGreeting:
    """Fetches a greeting from the carrier, and has callers hear it once it was read back; until then the one before."""

    store: Store
    objects: Objects
    fetch: FetchRecording
    clock: Clock

    async def __call__(self, account_id: AccountId, greeting_id: GreetingId, lease: JobLease) -> None:
        """Fetch it, unless it is here or not wanted any more. Repeating is harmless.

        Raises CarrierUnavailable, ObjectsUnavailable, NotYetTheAudio: to be tried again.
        """
        try:
            async with self.store.begin(account_id) as tx:
                greeting = await tx.greetings.get(greeting_id)
            greeting.must_be_whole()
            if greeting.is_expected and greeting.ref is not None:
                kept = await self.fetch(
                    greeting.ref, account_id, greeting.object_id, greeting.created_at, LARGEST_GREETING
                )
                await self._commit(account_id, greeting_id, kept, lease)
        except NotFound:
            await self.objects.delete(account_id, ObjectId(greeting_id))
            raise

    async def _commit(
        self, account_id: AccountId, greeting_id: GreetingId, kept: Audio | AudioRefusal, lease: JobLease
    ) -> None:
        async def change(tx: Tx) -> None:
            greeting, now = await tx.greetings.get(greeting_id), self.clock.now()
            if not greeting.is_expected:
                raise NotFound  # it was taken away meanwhile
            if isinstance(kept, AudioRefusal) or not await self._is_wanted(tx, greeting):
                greeting.replaced(now)
                tx.save(greeting)
            else:
                greeting.fetched(GreetingSound(kept.type.value), kept.size, now)
                await replace_with(tx, greeting.line_id, greeting, self.clock)

        await self.store.update(account_id, change, completing=lease)

    async def _is_wanted(self, tx: Tx, greeting: Greeting) -> bool:
        """Tell whether the line is still there, and what its callers hear was not made after this one."""
        line = await tx.lines.get_even_broken(greeting.line_id)
        return line.holds_number and not any(
            each.state is GreetingState.KEPT and each.id > greeting.id
            for each in await tx.greetings.of_line(greeting.line_id)
        )


JOBS = (
    JobType(
        "fetch_greeting", FetchGreeting, after={GreetingSpoken: NOW}, attempts=None, asks=Provider.OBJECTS
    ),
)
