"""The public half of the audit log in memory."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date

from typing_extensions import override

from application.ports.audit_log import AuditLog
from domain.audit import AuditEntry
from domain.audit_chain import BEGINNING, LASTING, RECENT, Head, Link

_RANDOM = random.SystemRandom()


class MemoryAuditLog(AuditLog):
    """`AuditLog` in lists, which tests may break as they like: `links` by chain, `kept` heads by chain."""

    def __init__(self, answer: Callable[[], Awaitable[None]]) -> None:
        """Begin empty. `answer` raises StoreUnavailable when the store does not answer."""
        self.waiting: list[Link] = []
        self.links = defaultdict[int, list[Link]](list)
        self.kept: dict[int, Head] = {}
        self._answer = answer

    def add(self, entries: Iterable[AuditEntry]) -> None:
        """Take in the public halves of a commit's entries."""
        for entry in entries:
            day = entry.at.astimezone(UTC).date()
            self.waiting.append(Link(RECENT, 0, day, entry.kind, entry.commitment, b""))

    @property
    def commitments(self) -> list[bytes]:
        """Every public half there is, chained or not."""
        return [link.commitment for links in (self.waiting, *self.links.values()) for link in links]

    @override
    async def chain(self) -> int:
        await self._answer()
        waiting, self.waiting = self.waiting, []
        self._append(RECENT, waiting)
        return len(waiting)

    @override
    async def draw(self, through: date, least: int) -> int:
        await self._answer()
        moving = [link for link in self.links[RECENT] if link.day <= through]
        if len(moving) < max(least, 1):
            return 0
        self.waiting += [link for link in self.links[RECENT] if link.day > through]
        self.links[RECENT] = []
        self.kept.pop(RECENT, None)
        chains = defaultdict[int, list[Link]](list)
        for link in moving:
            chains[_RANDOM.randint(1, LASTING)].append(replace(link, day=through))
        for chain, links in chains.items():
            self._append(chain, links)
        return len(moving)

    @override
    async def heads(self) -> Mapping[int, Head]:
        await self._answer()
        return dict(self.kept)

    @override
    async def page(self, chain: int, after: int, limit: int) -> Sequence[Link]:
        await self._answer()
        return [link for link in self.links[chain] if link.position > after][:limit]

    @override
    async def unchained(self) -> int:
        await self._answer()
        return len(self.waiting)

    @override
    async def keep_head(self, head: Head) -> None:
        await self._answer()
        links = self.links[head.chain]
        if head.length <= len(links) and links[head.length - 1].hash == head.hash:
            self.kept[head.chain] = head

    def _append(self, chain: int, links: list[Link]) -> None:
        _RANDOM.shuffle(links)
        for link in links:
            last = self.links[chain][-1] if self.links[chain] else None
            position, previous = (last.position + 1, last.hash) if last else (1, BEGINNING)
            placed = replace(link, chain=chain, position=position)
            self.links[chain].append(replace(placed, hash=placed.follows(previous)))
