"""The one cache of the product, for every adapter that keeps what is dear to fetch.

It stands beside `inbound` and `outbound`, because neighbours under them do not import each other.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

FOREVER = float("inf")


@dataclass(slots=True)
class _Entry(Generic[V]):
    value: V
    size: int
    expires: float
    idle_at: float

    def fresh(self, now: float) -> bool:
        return now < self.expires and now < self.idle_at


class Cache(Generic[K, V]):
    """Bounded by entries, by bytes or by both; the entry that was not used for longest goes first.

    An entry is forgotten `seconds` after its load began, and earlier when nobody used it for `idle_seconds`; its memory
    is given back when it is looked at, pushed out, or the least used when another is kept. Any number of callers wait
    for one load of the same key; a load that failed is forgotten. Values are never None. It belongs to one event loop.
    """

    def __init__(
        self, *, entries: int | None = None, size: int | None = None, size_of: Callable[[K, V], int] | None = None,
        seconds: float = FOREVER, idle_seconds: float = FOREVER, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """Keep at most `entries`, and at most `size` bytes as `size_of` counts. Raises ValueError when unbounded."""
        if (entries is None and size is None) or (size is None) != (size_of is None):
            raise ValueError("A cache is bounded by entries, or by bytes with a way to count them.")
        self._entries = entries
        self._size = size
        self._size_of = size_of or (lambda _key, _value: 0)
        self._seconds = seconds
        self._idle_seconds = idle_seconds
        self._monotonic = monotonic
        self._kept: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._loads: dict[K, asyncio.Task[V]] = {}
        self.size = 0
        """Bytes kept now, expired entries included until they are looked at or pushed out."""

    def __len__(self) -> int:
        return len(self._kept)

    def peek(self, key: K) -> V | None:
        """Return the value if it is kept and fresh, else None. This counts as a use."""
        entry = self._kept.get(key)
        if entry is None:
            return None
        now = self._monotonic()
        if not entry.fresh(now):
            self._forget(key)
            return None
        entry.idle_at = now + self._idle_seconds
        self._kept.move_to_end(key)
        return entry.value

    async def get(self, key: K, load: Callable[[K], Awaitable[V]]) -> V:
        """Return the value, loaded if need be. Raises what `load` raises."""
        if (kept := self.peek(key)) is not None:
            return kept
        task = self._loads.get(key)
        if task is None:
            task = self._loads[key] = asyncio.create_task(self._load(key, load))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)  # one caller who gives up does not take the load from the others

    def put(self, key: K, value: V) -> None:
        """Keep a value from now on, whatever is being loaded for the same key."""
        self._loads.pop(key, None)
        self._keep(key, value, self._monotonic())

    def drop(self, key: K) -> None:
        """Forget the value, and keep none that is being loaded now: it may be from before. Repeating is harmless."""
        self._forget(key)
        self._loads.pop(key, None)

    def clear(self) -> None:
        """Forget everything, and keep nothing that is being loaded now. Repeating is harmless."""
        self._kept.clear()
        self._loads.clear()
        self.size = 0

    async def _load(self, key: K, load: Callable[[K], Awaitable[V]]) -> V:
        began = self._monotonic()
        try:
            value = await load(key)
            if self._loads.get(key) is asyncio.current_task():
                self._keep(key, value, began)
            return value
        finally:
            if self._loads.get(key) is asyncio.current_task():
                del self._loads[key]

    def _keep(self, key: K, value: V, began: float) -> None:
        self._forget(key)
        now, size = self._monotonic(), self._size_of(key, value)
        self._kept[key] = _Entry(value, size, began + self._seconds, now + self._idle_seconds)
        self.size += size
        while self._kept:
            least_used = next(iter(self._kept))
            if self._kept[least_used].fresh(now) and not self._over():
                break
            self._forget(least_used)

    def _over(self) -> bool:
        too_many = self._entries is not None and len(self._kept) > self._entries
        return too_many or (self._size is not None and self.size > self._size)

    def _forget(self, key: K) -> None:
        if (entry := self._kept.pop(key, None)) is not None:
            self.size -= entry.size
