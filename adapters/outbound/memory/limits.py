"""Limits in memory."""

from __future__ import annotations

import asyncio
from datetime import datetime

from typing_extensions import override

from application.ports.limits import Limits, LimitsUnavailable
from domain.limits import Limit, Taking


class MemoryLimits(Limits):
    """`Limits` in a dictionary, `full_at`. Set `outage` to have every method raise LimitsUnavailable."""

    def __init__(self) -> None:
        self.outage = False
        self.full_at: dict[tuple[str, str], datetime] = {}

    @override
    async def take(self, limit: Limit, of: str, now: datetime, cost: int = 1) -> Taking:
        await self._answer()
        taking = limit.take(self.full_at.get((limit.name, of)), now, cost)
        if taking.wait is None or (limit.name, of) in self.full_at:
            self.full_at[limit.name, of] = taking.full_at
        return taking

    @override
    async def give_back(self, limit: Limit, of: str, now: datetime, cost: int = 1) -> None:
        await self._answer()
        key = limit.name, of
        if key in self.full_at:
            self.full_at[key] = limit.give_back(self.full_at[key], cost)
            if self.full_at[key] <= now:
                del self.full_at[key]

    @override
    async def purge(self, now: datetime, most: int) -> int:
        await self._answer()
        over = [key for key, full_at in self.full_at.items() if full_at <= now][:most]
        for key in over:
            del self.full_at[key]
        return len(over)

    async def _answer(self) -> None:
        """Give others their turn, as a real one would."""
        await asyncio.sleep(0)
        if self.outage:
            raise LimitsUnavailable
