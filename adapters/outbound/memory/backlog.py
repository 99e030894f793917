"""What is still to be done, counted in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from typing_extensions import override

from adapters.outbound.memory.queue import MemoryQueue
from adapters.outbound.memory.store import MemoryStore
from application.ports.backlog import Backlog, OpenErasures, QueuedWork
from domain.accounts import Account, AccountState
from domain.residue import Holding, ResidueState


class MemoryBacklog(Backlog):
    """`Backlog` over what the store and its queue hold."""

    def __init__(self, store: MemoryStore, queue: MemoryQueue) -> None:
        """Look at these two."""
        self._store, self._queue = store, queue

    @override
    async def work(self) -> Sequence[QueuedWork]:
        await self._store.answer()
        return self._queue.work()

    @override
    async def failing(self) -> Mapping[str, int]:
        await self._store.answer()
        return self._queue.failing()

    @override
    async def longest_due(self, due_before: datetime, unverified_before: datetime) -> timedelta | None:
        await self._store.answer()
        waited = []
        for rows in self._store.accounts.values():
            for account in rows[Account].values():
                if not isinstance(account, Account):
                    continue
                if account.state is AccountState.PENDING_DELETION and account.erase_at is not None:
                    waited.append(due_before - account.erase_at)
                elif account.is_unverified:
                    waited.append(unverified_before - account.created_at)
        return max((wait for wait in waited if wait >= timedelta()), default=None)

    @override
    async def erasures(self) -> Sequence[OpenErasures]:
        await self._store.answer()
        began: dict[str | None, list[datetime]] = {}
        for erasure in self._store.erasures.values():
            began.setdefault(erasure.done, []).append(erasure.began_at)
        return [OpenErasures(done, len(times), min(times)) for done, times in began.items()]

    @override
    async def held(self) -> Mapping[Holding, int]:
        await self._store.answer()
        entries = (entry for listed in self._store.residues.values() for entry in listed.values())
        return Counter(entry.holding for entry in entries if entry.state is ResidueState.HELD)
