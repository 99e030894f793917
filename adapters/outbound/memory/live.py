"""Live events in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

from typing_extensions import override

from adapters.outbound.memory.rows import copied
from adapters.outbound.memory.store import MemoryStore
from application.ports.live import LiveEvents
from domain.accounts import Account
from domain.kernel import AccountId, NotFound
from domain.live import BEGINNING, LiveEvent, LiveEventId, LiveStream, place_of, placed, shows


class MemoryLiveEvents(LiveEvents):
    """`LiveEvents` over a store in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @override
    async def head(self, account_id: AccountId) -> LiveEventId:
        await self._store.answer()
        rows = self._store.rows(account_id)
        if not rows[Account]:
            raise NotFound
        stream = LiveStream(account_id=account_id, id=account_id, last=BEGINNING, version=1)
        rows[LiveStream].setdefault(account_id, stream)
        self._place(account_id)
        return self._stream(account_id).last

    @override
    async def after(self, account_id: AccountId, seen: LiveEventId, limit: int) -> Sequence[LiveEvent]:
        await self._store.answer()
        if not self._store.rows(account_id)[LiveStream]:
            return []
        self._place(account_id)
        return [copied(event) for event in self._events(account_id) if event.id > seen][:limit]

    @override
    async def may_resume(self, account_id: AccountId, seen: LiveEventId) -> bool:
        await self._store.answer()
        first = next((e.id for e in self._events(account_id) if place_of(e.id) >= place_of(seen)), None)
        return first is not None and shows(first, seen)

    @override
    async def stirred(self, seen: Mapping[AccountId, LiveEventId]) -> set[AccountId]:
        await self._store.answer()
        return {
            account_id
            for account_id, last in seen.items()
            if any(event.id > last for event in self._events(account_id))
        }

    @override
    @contextmanager
    def hearing(self, hear: Callable[[AccountId], None]) -> Iterator[None]:
        self._store.listeners.add(hear)
        try:
            yield
        finally:
            self._store.listeners.discard(hear)

    def _events(self, account_id: AccountId) -> list[LiveEvent]:
        rows = cast("dict[LiveEventId, LiveEvent]", self._store.rows(account_id)[LiveEvent])
        return [rows[event_id] for event_id in sorted(rows)]

    def _stream(self, account_id: AccountId) -> LiveStream:
        (stream,) = cast("dict[AccountId, LiveStream]", self._store.rows(account_id)[LiveStream]).values()
        return stream

    def _place(self, account_id: AccountId) -> None:
        """Give places to all that wait: one step, which nobody comes between."""
        rows, stream = self._store.rows(account_id)[LiveEvent], self._stream(account_id)
        for event in self._events(account_id):
            if not event.has_place:
                del rows[event.id]
                event.id = stream.last = placed(event.id, place_of(stream.last) + 1)
                rows[event.id] = event
