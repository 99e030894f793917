"""Use cases of webhook deliveries: calling an endpoint, and forgetting what came of it after a week."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

from application.hold import HoldOfJob
from application.job_type import JobType, Provider
from application.ports.clock import Clock
from application.ports.jobs import DELIVER_WEBHOOK, JobLease, Queue
from application.ports.store import Store, Tx
from application.ports.webhook_receivers import WebhookCall, WebhookReceivers
from application.purge import Purge, PurgeResult
from domain.accounts import Account
from domain.kernel import AccountId, ErrorKind, PicoError, WebhookEndpointId
from domain.retention import Retention
from domain.webhook_deliveries import WebhookAnswer, WebhookDelivery, WebhookDeliveryId, WebhookDeliveryState
from domain.webhook_endpoints import WebhookEndpoint

MOST_OF_ENDPOINT = 8
"""At once to one endpoint; to one that does not answer, a single one: others must not wait for it."""


class WebhookNotTaken(PicoError):
    """The endpoint did not take the call; it is tried again, for a day."""

    kind = ErrorKind.UNAVAILABLE
    code = "webhook_not_taken"


class WebhookBusy(PicoError):
    """The endpoint is being called already; another call has to wait."""

    kind = ErrorKind.UNAVAILABLE
    code = "webhook_busy"


@dataclass(slots=True)
class CallsUnderWay:
    """How many calls this process makes at the moment, to whom."""

    to: Counter[WebhookEndpointId] = field(default_factory=Counter)

    @contextmanager
    def one_more(self, endpoint: WebhookEndpoint) -> Iterator[None]:
        """Count one call. Raises WebhookBusy where there are as many as may be."""
        most = MOST_OF_ENDPOINT if endpoint.failing_since is None else 1
        if self.to[endpoint.id] >= most:
            raise WebhookBusy
        self.to[endpoint.id] += 1
        try:
            yield
        finally:
            self.to[endpoint.id] -= 1
            self.to += Counter()  # forgets whom nobody calls


@dataclass(frozen=True, slots=True)
class DeliverWebhook:
    """Tells one endpoint that something happened, if nothing speaks against it by now."""

    store: Store
    queue: Queue
    receivers: WebhookReceivers
    clock: Clock
    under_way: CallsUnderWay = field(default_factory=CallsUnderWay, init=False)

    async def __call__(self, account_id: AccountId, delivery_id: WebhookDeliveryId, lease: JobLease) -> None:
        """Call it. Repeating calls it again under the same id. Raises JobGone, WebhookNotTaken, WebhookBusy."""
        async with self.store.begin(account_id) as tx:
            delivery = await tx.webhook_deliveries.get(delivery_id)
            endpoint = await tx.webhook_endpoints.get(delivery.endpoint_id)
            account = await tx.accounts.get_even_broken()
        if delivery.is_over:
            return
        if not self.may_be_told_of(account) or not endpoint.may_be_called:
            await self._withhold(delivery, lease)
            return
        with self.under_way.one_more(endpoint):
            await HoldOfJob(self.queue, account_id, lease)()
            now = self.clock.now()
            body = self.said(delivery)
            call = WebhookCall(
                id=delivery.id, at=now, signatures=endpoint.signatures(delivery.id, now, body), body=body
            )
            answer = await self.receivers.call(endpoint.url, call)
        await self._settle(delivery, answer, lease)

    def may_be_told_of(self, account: Account) -> bool:
        """Tell whether anything of an account may leave: not while it is frozen, deleted, or nobody vouches for it."""
        return not account.altered and account.is_active and account.restriction is None

    def said(self, delivery: WebhookDelivery) -> bytes:
        """Return what the endpoint is told."""
        return told(delivery)

    async def _withhold(self, delivery: WebhookDelivery, lease: JobLease) -> None:
        async def change(tx: Tx) -> None:
            found = await tx.webhook_deliveries.get(delivery.id)
            found.withhold()
            tx.save(found)

        await self.store.update(delivery.account_id, change, completing=lease)

    async def _settle(self, delivery: WebhookDelivery, answer: WebhookAnswer, lease: JobLease) -> None:
        """Write down what came of it; the job ends with it where nothing more is to be tried."""
        now = self.clock.now()
        delivery.tried(answer, now)

        async def change(tx: Tx) -> None:
            found = await tx.webhook_deliveries.get(delivery.id)
            found.tried(answer, now)
            tx.save(found)
            endpoint = await tx.webhook_endpoints.get(delivery.endpoint_id)
            changed = endpoint.answered(well=answer is WebhookAnswer.SUCCESS, at=now)
            if found.state is WebhookDeliveryState.FAILED:
                endpoint.give_up(now, gone=answer is WebhookAnswer.GONE)
                changed = True
            if changed:
                tx.save(endpoint)

        over = delivery.is_over
        await self.store.update(delivery.account_id, change, completing=lease if over else None)
        if not over:
            raise WebhookNotTaken


def told(delivery: WebhookDelivery) -> bytes:
    """Return what an endpoint is told: a word, two ids and a time, the same bytes on every try."""
    said = {
        "type": delivery.kind.value,
        "id": str(delivery.id),
        "timestamp": _written(delivery.at),
        "data": {"id": str(delivery.subject)},
    }
    return json.dumps(said, separators=(",", ":")).encode()


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class PurgeWebhookDeliveries(Purge):
    """Deletes what came of webhook calls after their week (clause T14)."""

    name: ClassVar[str] = "webhook_deliveries"

    store: Store
    retention: Retention

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Delete up to `limit` that are due by `now`. Repeating is harmless."""
        before = self.retention.webhook_delivery.cutoff(now)
        return PurgeResult(await self.store.purge(WebhookDelivery, "at", before, limit))


JOBS = (JobType(DELIVER_WEBHOOK, DeliverWebhook, asks=Provider.RECEIVERS),)
