"""Webhook endpoints in memory, and what is told to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, newest_first
from application.ports.repositories.webhooks import WebhookDeliveries, WebhookEndpoints
from domain.kernel import WebhookEndpointId
from domain.webhook_deliveries import WebhookDelivery, WebhookDeliveryId
from domain.webhook_endpoints import WebhookEndpoint


@dataclass(frozen=True, slots=True)
class MemoryWebhookEndpoints(WebhookEndpoints):
    """`WebhookEndpoints` over one account's rows."""

    loaded: Loaded

    @override
    async def get(self, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
        return await self.loaded.one(WebhookEndpoint, endpoint_id)

    @override
    async def list_all(self) -> list[WebhookEndpoint]:
        return newest_first(await self.loaded.all(WebhookEndpoint))


@dataclass(frozen=True, slots=True)
class MemoryWebhookDeliveries(WebhookDeliveries):
    """`WebhookDeliveries` over one account's rows."""

    loaded: Loaded

    @override
    async def get(self, delivery_id: WebhookDeliveryId) -> WebhookDelivery:
        return await self.loaded.one(WebhookDelivery, delivery_id)

    @override
    async def page(
        self, endpoint_id: WebhookEndpointId, before: tuple[datetime, WebhookDeliveryId] | None, limit: int
    ) -> list[WebhookDelivery]:
        found = await self.loaded.all(WebhookDelivery, lambda d: d.endpoint_id == endpoint_id)
        rest = [d for d in found if before is None or (d.at, d.id) < before]
        return sorted(rest, key=lambda d: (d.at, d.id), reverse=True)[:limit]
