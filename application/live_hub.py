"""One reader for everybody who follows an account in this process.

It is woken by commits of its own process, and asks after those of others in turns. A stream holds its place and nothing
else: what a slow one has not taken yet lies in the store, not here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from application.ports.live import LiveEvents
from application.ports.store import StoreUnavailable
from domain.kernel import AccountId, ErrorKind, PicoError, SessionId
from domain.live import LiveEvent, LiveEventId, place_of
from domain.live_kinds import LiveKind

LONGEST = timedelta(hours=1)
"""Then whoever follows shows their token again."""
PAUSE = 0.25
"""Seconds between two looks for what other processes committed, where one look is enough for all."""
AT_ONCE = 2_000
"""Accounts looked after in one go. With more than that followed, each waits for its turn."""
READERS = 8
"""Accounts read at the same time."""
PAGE = 200
"""Events read in one go."""
RECENT = 32
"""Events of an account that are held, so that its streams need not read the same again."""
MOST_OF_ACCOUNT = 20
"""Streams of one account in one process."""
MOST = 20_000
"""Streams of one process."""


class TooManyStreams(PicoError):
    """Too many event streams of this account are open: close one."""

    kind = ErrorKind.LIMITED
    code = "too_many_streams"


class NoRoomForStreams(PicoError):
    """This server has no room for another event stream, or is about to end."""

    kind = ErrorKind.UNAVAILABLE
    code = "no_room_for_streams"


@dataclass(eq=False, slots=True)
class Stream:
    """One device that follows: how far it has come, and whether there is more, or it is over."""

    session_id: SessionId
    place: LiveEventId
    is_over: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        """Have it end. Repeating is harmless."""
        self.is_over = True
        self.news.set()


@dataclass(eq=False, slots=True)
class Followed:
    """An account that is followed: what was read of it last, and by whom."""

    seen: LiveEventId
    streams: list[Stream] = field(default_factory=list)
    recent: deque[LiveEvent] = field(default_factory=lambda: deque(maxlen=RECENT))

    def take(self, events: Sequence[LiveEvent]) -> None:
        """Note what happened, and tell all streams; those of a session that was revoked end."""
        self.recent.extend(events)
        self.seen = events[-1].id
        revoked = {event.subject for event in events if event.kind is LiveKind.SESSION_REVOKED}
        for stream in self.streams:
            if stream.session_id in revoked:
                stream.end()
            stream.news.set()


@dataclass(slots=True)
class LiveHub:
    """All streams of this process."""

    events: LiveEvents
    longest: timedelta = field(default=LONGEST, init=False)
    """How long a stream lasts at most."""
    open: int = field(default=0, init=False)
    """How many streams there are."""
    _accounts: dict[AccountId, Followed] = field(default_factory=dict, init=False)
    _turns: deque[AccountId] = field(default_factory=deque, init=False)
    """Whose turn it is to be looked after, in the order of their turns."""
    _stale: set[AccountId] = field(default_factory=set, init=False)
    """Where something is known to have happened that was not read yet."""
    _news: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _reading: asyncio.Task[None] | None = field(default=None, init=False)
    _closed: bool = field(default=False, init=False)

    def join(
        self, account_id: AccountId, session_id: SessionId, place: LiveEventId, head: LiveEventId
    ) -> Stream:
        """Open a stream behind `place`, in an account whose latest event is `head`. It must be left in the end.

        One too many ends the oldest of its own session: most often that is a connection that died unnoticed. Raises
        TooManyStreams where there is none, NoRoomForStreams.
        """
        if self._closed or self.open >= MOST:
            raise NoRoomForStreams
        followed = self._accounts.get(account_id)
        others = [] if followed is None else [each for each in followed.streams if not each.is_over]
        if len(others) >= MOST_OF_ACCOUNT:
            oldest = next((each for each in others if each.session_id == session_id), None)
            if oldest is None:
                raise TooManyStreams
            oldest.end()
        if followed is None:
            followed = self._accounts[account_id] = Followed(head)
            self._turns.append(account_id)
        stream = Stream(session_id, place)
        followed.streams.append(stream)
        self.open += 1
        self._hear(account_id)
        if self._reading is None:
            self._reading = asyncio.create_task(self._keep_reading())
        return stream

    def leave(self, account_id: AccountId, stream: Stream) -> None:
        """Let a stream go. After the last of all nobody reads any more."""
        followed = self._accounts[account_id]
        followed.streams.remove(stream)
        self.open -= 1
        if not followed.streams:
            del self._accounts[account_id]
            self._stale.discard(account_id)
        if not self._accounts:
            self._news.set()

    def close(self) -> None:
        """End every stream, and open no other: the process is about to end. Repeating is harmless."""
        self._closed = True
        self._end_all()

    async def next_of(self, account_id: AccountId, stream: Stream) -> Sequence[LiveEvent]:
        """Return what comes next in a stream, as far as it is known by now. Raises StoreUnavailable.

        Who is slow finds it in the store: nothing is held back for anybody here.
        """
        followed = self._accounts[account_id]
        if place_of(stream.place) >= place_of(followed.seen):
            return ()
        recent = followed.recent
        if recent and place_of(recent[0].id) <= place_of(stream.place) + 1:
            return [event for event in recent if place_of(event.id) > place_of(stream.place)]
        return await self.events.after(account_id, stream.place, PAGE)

    def _end_all(self) -> None:
        for followed in self._accounts.values():
            for stream in followed.streams:
                stream.end()

    def _hear(self, account_id: AccountId) -> None:
        if account_id in self._accounts:
            self._stale.add(account_id)
            self._news.set()

    async def _keep_reading(self) -> None:
        """Read what happens, as soon as it is heard of or found, while there is anybody to be told.

        An outage of the store is waited out. Should anything else go wrong, all streams end: whoever opens theirs anew
        misses nothing.
        """
        clock, look_at = asyncio.get_running_loop(), 0.0
        try:
            with self.events.hearing(self._hear):
                while self._accounts:
                    try:
                        if clock.time() >= look_at:
                            await self._look()
                            look_at = clock.time() + PAUSE
                        await self._read_stale()
                    except StoreUnavailable:
                        await asyncio.sleep(PAUSE)
                    with suppress(TimeoutError):
                        async with asyncio.timeout_at(look_at):
                            await self._news.wait()
                    self._news.clear()
        finally:
            self._reading = None
            self._end_all()

    async def _look(self) -> None:
        """Find out in which of the accounts whose turn it is something happened that nobody here heard of."""
        seen = dict[AccountId, LiveEventId]()
        for _ in range(min(AT_ONCE, len(self._turns))):
            account_id = self._turns.popleft()
            if account_id in self._accounts:  # else it is followed no longer, and loses its turns
                seen[account_id] = self._accounts[account_id].seen
        self._turns.extend(seen)
        self._stale |= await self.events.stirred(seen)

    async def _read_stale(self) -> None:
        """Read what happened where something did, a few accounts at a time."""
        while self._stale:
            some = [self._stale.pop() for _ in range(min(READERS, len(self._stale)))]
            try:
                await asyncio.gather(*map(self._read, some))
            except StoreUnavailable:
                self._stale.update(some)
                raise

    async def _read(self, account_id: AccountId) -> None:
        followed = self._accounts.get(account_id)
        if followed is not None and (events := await self.events.after(account_id, followed.seen, PAGE)):
            followed.take(events)
            if len(events) == PAGE:
                self._stale.add(account_id)
