"""Who is to be called for what a commit in memory brings about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from adapters.outbound.memory.rows import Rows
from application.ports.ids import Ids
from application.ports.jobs import DELIVER_WEBHOOK, Job
from domain.live import LiveEvent
from domain.webhook_deliveries import WebhookDelivery, WebhookDeliveryId
from domain.webhook_endpoints import WebhookEndpoint


def deliveries_of(rows: Rows, live: Sequence[LiveEvent], ids: Ids) -> list[WebhookDelivery]:
    """Return what is to be told to each endpoint there was before."""
    endpoints = cast("list[WebhookEndpoint]", list(rows[WebhookEndpoint].values()))
    return [
        WebhookDelivery(
            account_id=event.account_id,
            id=WebhookDeliveryId(ids.random_id()),
            endpoint_id=endpoint.id,
            kind=event.kind,
            subject=event.subject,
            at=event.at,
            version=1,
        )
        for event in live
        for endpoint in endpoints
        if endpoint.hears(event.kind)
    ]


def job_of(delivery: WebhookDelivery) -> Job:
    """Return the job that tells it."""
    return Job(DELIVER_WEBHOOK, delivery.account_id, delivery.id)
