"""Reading webhook endpoints, and what is told to them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from domain.kernel import WebhookEndpointId
from domain.webhook_deliveries import WebhookDelivery, WebhookDeliveryId
from domain.webhook_endpoints import WebhookEndpoint


class WebhookEndpoints(Protocol):
    """The addresses that an account wants to be called at: a few."""

    async def get(self, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
        """Return one, broken or not. Raises NotFound."""
        ...

    async def list_all(self) -> list[WebhookEndpoint]:
        """Return all of them, broken or not, newest first."""
        ...


class WebhookDeliveries(Protocol):
    """What was told to an account's endpoints, or is to be."""

    async def get(self, delivery_id: WebhookDeliveryId) -> WebhookDelivery:
        """Return one. Raises NotFound."""
        ...

    async def page(
        self, endpoint_id: WebhookEndpointId, before: tuple[datetime, WebhookDeliveryId] | None, limit: int
    ) -> list[WebhookDelivery]:
        """Return up to `limit` to one endpoint, the latest event first, from behind a place."""
        ...
