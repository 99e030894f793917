"""Limits of this process and its life: for what must be counted when the shared ones do not answer, or never leaves."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from typing_extensions import override

from application.ports.limits import Limits
from domain.limits import Limit, Taking

REMEMBERED = 100_000
"""Keys, some 30 MB of them at the most."""


class ProcessLimits(Limits):
    """`Limits` in a bounded dictionary: beyond `remembered` keys, the one taken from longest ago is forgotten."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        """Remember that many keys."""
        self._remembered = remembered
        self._full_at: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    @override
    async def take(self, limit: Limit, of: str, now: datetime, cost: int = 1) -> Taking:
        return self.taken(limit, of, now, cost)

    def taken(self, limit: Limit, of: str, now: datetime, cost: int = 1) -> Taking:
        """Do what `take` does, without waiting."""
        key = limit.name, of
        taking = limit.take(self._full_at.get(key), now, cost)
        if taking.wait is None:
            self._full_at[key] = taking.full_at
            self._full_at.move_to_end(key)
            if len(self._full_at) > self._remembered:
                self._full_at.popitem(last=False)
        elif key in self._full_at:
            self._full_at[key] = taking.full_at  # nearer, if the clock was set back
        return taking

    @override
    async def give_back(self, limit: Limit, of: str, now: datetime, cost: int = 1) -> None:
        key = limit.name, of
        if key in self._full_at:
            self._full_at[key] = limit.give_back(self._full_at[key], cost)
            if self._full_at[key] <= now:
                del self._full_at[key]

    @override
    async def purge(self, now: datetime, most: int) -> int:
        over = [key for key, full_at in self._full_at.items() if full_at <= now][:most]
        for key in over:
            del self._full_at[key]
        return len(over)
