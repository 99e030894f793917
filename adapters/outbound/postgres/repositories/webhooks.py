"""Webhook endpoints on PostgreSQL, and what is told to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import Read, Reader, whole
from application.ports.repositories.webhooks import WebhookDeliveries, WebhookEndpoints
from domain.kernel import WebhookEndpointId
from domain.webhook_deliveries import WebhookDelivery, WebhookDeliveryId
from domain.webhook_endpoints import WebhookEndpoint

_E, _D = codec(WebhookEndpoint).table.c, codec(WebhookDelivery).table.c
_GET = Read.by(WebhookEndpoint, whole(WebhookEndpoint, _E.id == sa.bindparam("id")), "id")
_ALL = Read.by(WebhookEndpoint, whole(WebhookEndpoint).order_by(_E.id.desc()))
_DELIVERY = Read.by(WebhookDelivery, whole(WebhookDelivery, _D.id == sa.bindparam("id")), "id")
_TO_ONE = (
    whole(WebhookDelivery, _D.endpoint_id == sa.bindparam("endpoint_id"))
    .order_by(_D.at.desc(), _D.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer()))
)
_PLACE = sa.tuple_(sa.bindparam("at", type_=_D.at.type), sa.bindparam("id", type_=_D.id.type))
_FIRST = Read.by(WebhookDelivery, _TO_ONE, "endpoint_id", "limit")
_FURTHER = Read.by(
    WebhookDelivery, _TO_ONE.where(sa.tuple_(_D.at, _D.id) < _PLACE), "endpoint_id", "limit", "at", "id"
)


@dataclass(frozen=True, slots=True)
class PostgresWebhookEndpoints(WebhookEndpoints):
    """`WebhookEndpoints` of one unit of work."""

    reader: Reader

    @override
    async def get(self, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
        return await self.reader.one(_GET, endpoint_id, even_broken=True)

    @override
    async def list_all(self) -> list[WebhookEndpoint]:
        return await self.reader.all(_ALL, even_broken=True)


@dataclass(frozen=True, slots=True)
class PostgresWebhookDeliveries(WebhookDeliveries):
    """`WebhookDeliveries` of one unit of work."""

    reader: Reader

    @override
    async def get(self, delivery_id: WebhookDeliveryId) -> WebhookDelivery:
        return await self.reader.one(_DELIVERY, delivery_id)

    @override
    async def page(
        self, endpoint_id: WebhookEndpointId, before: tuple[datetime, WebhookDeliveryId] | None, limit: int
    ) -> list[WebhookDelivery]:
        if before is None:
            return await self.reader.all(_FIRST, endpoint_id, limit)
        return await self.reader.all(_FURTHER, endpoint_id, limit, *before)
