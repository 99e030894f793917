"""Use cases of greetings: write one, upload one, take it away, and hand it to the carrier while a call needs it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass
from datetime import timedelta

from application.hold import Hold, HoldOfJob
from application.job_type import NOW, JobType, Provider
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.jobs import JobLease, Queue
from application.ports.keyring import KeyGone
from application.ports.media_addresses import MediaAddresses
from application.ports.objects import Objects
from application.ports.recordings import Recordings
from application.ports.store import Store, Tx
from application.recorded_audio import KeepAudio
from application.voicemail_deletion import COPY_KEPT, delete_recording
from domain.greetings import (
    LARGEST_GREETING,
    Greeting,
    GreetingBegun,
    GreetingFetched,
    GreetingId,
    GreetingReplaced,
    GreetingSound,
    GreetingState,
    GreetingText,
)
from domain.kernel import AccountId, LineId, NotFound, ObjectId

UPLOAD_TAKES = timedelta(hours=1)
"""An upload that is not done by then was broken off."""


async def heard(tx: Tx, line_id: LineId) -> Greeting | None:
    """Return the greeting that callers of a line hear; None where it is the usual one."""
    return next((each for each in await tx.greetings.of_line(line_id) if each.is_heard), None)


async def replace_with(tx: Tx, line_id: LineId, new: Greeting | None, clock: Clock) -> None:
    """Have callers hear another greeting, or the usual one: then none that is on its way comes to be heard, either.

    One that the carrier still holds stays until it is gone there.
    """
    for each in await tx.greetings.of_line(line_id):
        if new is None or (each.id != new.id and each.state is GreetingState.KEPT):
            each.replaced(clock.now())
            tx.save(each)
            if each.ref is None or each.altered:
                tx.remove(each)
    if new is not None:
        tx.save(new)


@dataclass(frozen=True, slots=True)
class ReadGreeting:
    """Shows what callers of a line hear, and hands a recording over."""

    store: Store
    objects: Objects

    async def __call__(self, account_id: AccountId, line_id: LineId) -> Greeting | None:
        """Return it; None for the usual one. Raises NotFound for no such line. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            await tx.lines.get_even_broken(line_id)
            return await heard(tx, line_id)

    async def content(self, greeting: Greeting, start: int, stop: int) -> AsyncGenerator[bytes, None]:
        """Yield its sound from `start` until before `stop`. Raises NotFound, SealBroken, ObjectsUnavailable."""
        async with self.objects.open(greeting.account_id, greeting.object_id) as opened:
            async for piece in opened.read(start, stop):
                yield piece


@dataclass(frozen=True, slots=True)
class WriteGreeting:
    """Has callers of a line be read some words."""

    store: Store
    clock: Clock
    ids: Ids

    async def __call__(self, account_id: AccountId, line_id: LineId, words: GreetingText) -> Greeting:
        """Return the greeting. Raises NotFound for no such line. Repeating is harmless."""

        async def change(tx: Tx) -> Greeting:
            await tx.lines.get_even_broken(line_id)
            new = Greeting(
                account_id=account_id, id=GreetingId(self.ids.new()), line_id=line_id, words=words,
                created_at=self.clock.now(),
            )  # fmt: skip
            await replace_with(tx, line_id, new, self.clock)
            return new

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class UploadGreeting:
    """Has callers of a line hear a recording."""

    store: Store
    keep_audio: KeepAudio
    clock: Clock
    ids: Ids

    async def __call__(
        self, account_id: AccountId, line_id: LineId, content: AsyncIterable[bytes], said: str
    ) -> Greeting:
        """Return the greeting, once its recording was read back. Until then callers hear the one before.

        `said` is its media type. Raises NotFound, NotAudio, UnsupportedAudio, AudioTooLarge, ObjectsUnavailable.
        """
        greeting_id = GreetingId(self.ids.new())

        async def begin(tx: Tx) -> None:
            await tx.lines.get_even_broken(line_id)
            tx.save(Greeting.upload(account_id, greeting_id, line_id, self.clock.now()))

        async def keep(tx: Tx) -> Greeting:
            new = await tx.greetings.get(greeting_id)
            new.keep(GreetingSound(audio.type.value), audio.size)
            await replace_with(tx, line_id, new, self.clock)
            return new

        await self.store.update(account_id, begin)
        audio = await self.keep_audio(account_id, ObjectId(greeting_id), content, said, LARGEST_GREETING)
        return await self.store.update(account_id, keep)


@dataclass(frozen=True, slots=True)
class RemoveGreeting:
    """Has callers of a line hear the usual greeting."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, line_id: LineId) -> None:
        """Take the line's own away. Raises NotFound for no such line. Repeating is harmless."""

        async def change(tx: Tx) -> None:
            await tx.lines.get_even_broken(line_id)
            await replace_with(tx, line_id, None, self.clock)

        await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ReadOfferedGreeting:
    """Hands a recorded greeting to whoever has its address, for as long as a call takes to begin."""

    store: Store
    addresses: MediaAddresses
    clock: Clock

    async def __call__(self, token: str) -> Greeting:
        """Return what is known of it. Raises NotFound, also once it was replaced. Repeating is harmless."""
        offer = await self.addresses.offered(token)
        if offer is None or self.clock.now() >= offer.ends_at:
            raise NotFound
        try:
            async with self.store.begin(offer.account_id) as tx:
                greeting = await tx.greetings.get(GreetingId(offer.media_id))
        except KeyGone:
            raise NotFound from None
        if not greeting.is_heard:
            raise NotFound
        return greeting


@dataclass(frozen=True, slots=True)
class PurgeGreeting:
    """Deletes the recording of a greeting that nobody hears any more, or whose upload was broken off.

    Of one that the person said on the telephone, the carrier's copy goes first, and as soon as ours was read back.
    """

    store: Store
    queue: Queue
    recordings: Recordings
    objects: Objects

    async def __call__(self, account_id: AccountId, greeting_id: GreetingId, lease: JobLease) -> None:
        """Delete it, unless it is heard, and what the carrier holds of it. Repeating is harmless.

        Raises JobGone, ObjectsUnavailable, CarrierUnavailable, NotYetGone.
        """
        await self._leave_the_carrier(account_id, greeting_id, HoldOfJob(self.queue, account_id, lease))

        async def change(tx: Tx) -> bool:
            try:
                greeting = await tx.greetings.get(greeting_id)
            except NotFound:
                return True
            greeting.must_be_whole()
            if greeting.is_heard or greeting.ref is not None:
                return False
            tx.remove(greeting)
            return True

        if await self.store.update(account_id, change):
            await self.objects.delete(account_id, ObjectId(greeting_id))

    async def _leave_the_carrier(self, account_id: AccountId, greeting_id: GreetingId, hold: Hold) -> None:
        """Have the carrier's recording of it deleted and read back, unless it is yet to be fetched."""
        try:
            async with self.store.begin(account_id) as tx:
                greeting = await tx.greetings.get(greeting_id)
        except NotFound:
            return
        if greeting.altered or greeting.ref is None or greeting.is_expected:
            return
        await delete_recording(self.recordings, greeting.ref, hold)

        async def change(tx: Tx) -> None:
            gone = await tx.greetings.get(greeting_id)
            gone.carrier_copy_deleted()
            tx.save(gone)

        await self.store.update(account_id, change)


JOBS = (
    JobType(
        "purge_greeting",
        PurgeGreeting,
        after={GreetingBegun: UPLOAD_TAKES, GreetingReplaced: NOW, GreetingFetched: COPY_KEPT},
        attempts=None,
        asks=Provider.OBJECTS,
    ),
)
