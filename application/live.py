"""The use cases of live events: following them, and forgetting them after a day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from application.live_hub import LONGEST, PAGE, LiveHub, Stream
from application.ports.clock import Clock
from application.ports.live import LiveEvents
from application.ports.store import Store
from application.purge import Purge, PurgeResult
from application.sessions import Caller
from domain.kernel import NotFound
from domain.live import LiveEvent, LiveEventId
from domain.retention import Retention
from domain.sessions import Session

BEAT = timedelta(seconds=15)
"""After that much silence something is said all the same: proxies end connections on which nothing comes."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where a stream stands: what follows is all that comes behind `place`.

    `lost` tells that something that comes before it was not told, and will not be.
    """

    place: LiveEventId
    at: datetime
    lost: bool = False


@dataclass(frozen=True, slots=True)
class FollowEvents:
    """Tells a device what happens in its account, and what happened while it was away."""

    store: Store
    events: LiveEvents
    hub: LiveHub
    clock: Clock

    async def __call__(
        self, caller: Caller, seen: LiveEventId | None, lasting: timedelta = LONGEST, beat: timedelta = BEAT
    ) -> AsyncGenerator[Begun | Sequence[LiveEvent], None]:
        """Yield where the stream stands, then what happens, as it does; nothing of it after each `beat` of silence.

        It begins behind `seen`, or now. What is not kept any more cannot be told: then it begins now, and says so. It
        ends after `lasting`, when the session is over, when the process is about to end, and in favour of another of
        the session. Whoever goes on behind what they saw last misses nothing.

        Raises TooManyStreams, NoRoomForStreams; NotFound where session or account is gone, KeyGone.
        """
        account_id = caller.account_id
        head = await self.events.head(account_id)
        known = seen is None or seen == head or await self.events.may_resume(account_id, seen)
        place = seen if seen is not None and known else head
        begun = Begun(place, self.clock.now(), lost=not known)
        stream = self.hub.join(account_id, caller.session_id, begun.place, head)
        try:
            # Now that the stream is there it hears of a revocation; one that came before shows here.
            session = await self._session(caller)
            yield begun
            async for told in self._told(stream, session, head, lasting, beat):
                yield told
        finally:
            self.hub.leave(account_id, stream)

    def close(self) -> None:
        """End all streams of this process, and open no other. Repeating is harmless."""
        self.hub.close()

    async def _told(
        self, stream: Stream, session: Session, head: LiveEventId, lasting: timedelta, beat: timedelta
    ) -> AsyncGenerator[Begun | Sequence[LiveEvent], None]:
        account_id, loop = session.account_id, asyncio.get_running_loop()
        ends_at = loop.time() + min(lasting, self.hub.longest).total_seconds()
        while True:
            stream.news.clear()
            if stream.place < head:
                events = await self.events.after(account_id, stream.place, PAGE)
            else:
                events = await self.hub.next_of(account_id, stream)
            if stream.is_over:
                return
            if events and _is_whole(stream.place, events):
                stream.place = events[-1].id
                yield events
            elif events or stream.place < head:  # some of it went before it could be told
                stream.place = events[-1].id if events else head
                yield Begun(stream.place, self.clock.now(), lost=True)
            elif session.is_over(self.clock.now()) or loop.time() >= ends_at:
                return
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(min(loop.time() + beat.total_seconds(), ends_at)):
                        await stream.news.wait()
                if not stream.news.is_set():
                    yield ()

    async def _session(self, caller: Caller) -> Session:
        """Return the session. Raises NotFound unless it is still open."""
        async with self.store.begin(caller.account_id) as tx:
            session = await tx.sessions.get(caller.session_id)
        if session.is_over(self.clock.now()):
            raise NotFound
        return session


def _is_whole(place: LiveEventId, events: Sequence[LiveEvent]) -> bool:
    """Tell whether nothing is missing behind a place, and between these events."""
    before = [place, *(event.id for event in events)]
    return all(event.follows(last) for event, last in zip(events, before, strict=False))


@dataclass(frozen=True, slots=True)
class PurgeLiveEvents(Purge):
    """Deletes live events after their day (clause T12)."""

    name: ClassVar[str] = "live_events"

    store: Store
    retention: Retention

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Delete up to `limit` that are due by `now`. Repeating is harmless."""
        before = self.retention.live_event.cutoff(now)
        return PurgeResult(await self.store.purge(LiveEvent, "at", before, limit))
