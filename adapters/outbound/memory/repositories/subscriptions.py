"""Subscriptions, in memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded
from application.ports.repositories.subscriptions import Subscriptions
from domain.billing import Subscription


@dataclass(frozen=True, slots=True)
class MemorySubscriptions(Subscriptions):
    """`Subscriptions` over one account's rows."""

    loaded: Loaded

    @override
    async def find(self) -> Subscription | None:
        return next(iter(await self.loaded.all(Subscription)), None)
