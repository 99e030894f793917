"""Counting what is limited, also while nobody else can be asked; and forgetting what is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from application.ports.clock import Clock
from application.ports.limits import Limits, LimitsUnavailable
from application.purge import Purge, PurgeResult
from domain.limits import Limit, Taking


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts with all processes together, and `here`, in this one alone, while `limits` do not answer.

    So nothing is refused for their outage. What costs money asks `limits` itself.
    """

    limits: Limits
    here: Limits
    clock: Clock

    async def take(self, limit: Limit, of: str) -> Taking:
        """Take one, or nothing when none is left: `Taking.wait` says which. Repeating takes another."""
        now = self.clock.now()
        try:
            return await self.limits.take(limit, of, now)
        except LimitsUnavailable:
            return await self.here.take(limit, of, now)

    async def give_back(self, limit: Limit, of: str) -> None:
        """Give back one that was taken and not used."""
        now = self.clock.now()
        try:
            await self.limits.give_back(limit, of, now)
        except LimitsUnavailable:
            await self.here.give_back(limit, of, now)


@dataclass(frozen=True, slots=True)
class PurgeLimits(Purge):
    """Deletes what was taken of limits as soon as all of it is back (clause H30)."""

    name: ClassVar[str] = "limits"

    limits: Limits

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Delete up to `limit` that are over by `now`. Repeating is harmless."""
        return PurgeResult(await self.limits.purge(now, limit))
