"""Subscriptions, on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.postgres.reading import Read, Reader, whole
from application.ports.repositories.subscriptions import Subscriptions
from domain.billing import Subscription

_ALL = Read.by(Subscription, whole(Subscription))


@dataclass(frozen=True, slots=True)
class PostgresSubscriptions(Subscriptions):
    """`Subscriptions` of one unit of work."""

    reader: Reader

    @override
    async def find(self) -> Subscription | None:
        return next(iter(await self.reader.all(_ALL, even_broken=True)), None)
