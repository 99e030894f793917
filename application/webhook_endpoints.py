"""Use cases of webhook endpoints: which addresses of an account's own are called when something happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.jobs import DELIVER_WEBHOOK, Job
from application.ports.limits import Charge, Limits
from application.ports.store import Store, Tx
from application.ports.webhook_receivers import WebhookReceivers
from domain.idempotency import Operation
from domain.kernel import AccountId, WebhookEndpointId
from domain.limits import Limit, Limited
from domain.live_kinds import LiveKind
from domain.retention import Retention
from domain.webhook_deliveries import WebhookDelivery, WebhookDeliveryId
from domain.webhook_endpoints import (
    MOST_ENDPOINTS,
    TooManyEndpoints,
    WebhookEndpoint,
    WebhookSecret,
    WebhookUrl,
)

TESTS = Limit(name="webhook_tests", most=30, within=timedelta(hours=1), at_once=5)
"""Of all endpoints of an account."""


class TooManyTests(Limited):
    """Webhook endpoints were tried too often: wait."""

    code = "too_many_webhook_tests"


@dataclass(frozen=True, slots=True)
class AddedEndpoint:
    """An endpoint, and whether an earlier request with the same key had added it."""

    endpoint: WebhookEndpoint
    repeated: bool


@dataclass(frozen=True, slots=True)
class AddWebhookEndpoint:
    """Has an address called from now on."""

    store: Store
    receivers: WebhookReceivers
    clock: Clock
    ids: Ids
    retention: Retention

    async def __call__(
        self, account_id: AccountId, url: WebhookUrl, kinds: frozenset[LiveKind], key: str
    ) -> AddedEndpoint:
        """Return the endpoint, with its secret; no kinds: all. Repeating with the same key is harmless.

        Raises WebhookUrlRefused, TooManyEndpoints, IdempotencyMismatch; NotFound if what was added is deleted.
        """
        await self.receivers.must_be_callable(url)
        operation = Operation.requested("add-webhook-endpoint", key, url, " ".join(sorted(kinds)))

        async def change(tx: Tx) -> AddedEndpoint:
            earlier = await tx.idempotency.earlier_result(operation)
            if earlier is not None:
                found = await tx.webhook_endpoints.get(WebhookEndpointId(earlier.must_match()))
                return AddedEndpoint(found, repeated=True)
            account, now = await tx.accounts.get_even_broken(), self.clock.now()
            tx.require_unchanged(account)  # of two who add at once, one counts again
            if len(await tx.webhook_endpoints.list_all()) >= MOST_ENDPOINTS:
                raise TooManyEndpoints
            endpoint = WebhookEndpoint(
                account_id=account_id, id=WebhookEndpointId(self.ids.new()), url=url,
                secret=WebhookSecret.of(self.ids.random_bytes()), kinds=kinds, created_at=now,
            )  # fmt: skip
            endpoint.added()
            tx.save(endpoint)
            tx.idempotent(operation, endpoint.id, self.retention.idempotency.ends(now))
            return AddedEndpoint(endpoint, repeated=False)

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ListWebhookEndpoints:
    """Shows which addresses are called."""

    store: Store

    async def __call__(self, account_id: AccountId) -> list[WebhookEndpoint]:
        """Return them, newest first. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.webhook_endpoints.list_all()


@dataclass(frozen=True, slots=True)
class ReadWebhookEndpoint:
    """Shows one of them."""

    store: Store

    async def __call__(self, account_id: AccountId, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
        """Return it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.webhook_endpoints.get(endpoint_id)


@dataclass(frozen=True, slots=True)
class ChangeWebhookEndpoint:
    """Calls another address, or for something else; or has an endpoint rest, or called again."""

    store: Store
    receivers: WebhookReceivers
    clock: Clock

    async def __call__(
        self,
        account_id: AccountId,
        endpoint_id: WebhookEndpointId,
        url: WebhookUrl | None,
        kinds: frozenset[LiveKind] | None,
        enabled: bool | None,  # noqa: FBT001 - None leaves it as it is
    ) -> WebhookEndpoint:
        """Return the endpoint; None leaves a part as it is. Raises WebhookUrlRefused, NotFound, SealBroken."""
        if url is not None:
            await self.receivers.must_be_callable(url)

        async def change(tx: Tx) -> WebhookEndpoint:
            endpoint = await tx.webhook_endpoints.get(endpoint_id)
            endpoint.change(url, kinds, enabled, self.clock.now())
            tx.save(endpoint)
            return endpoint

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class DeleteWebhookEndpoint:
    """Has an address not be called any more."""

    store: Store
    clock: Clock

    async def __call__(self, account_id: AccountId, endpoint_id: WebhookEndpointId) -> None:
        """Forget it and its secret; what was told to it goes with time. Raises NotFound, also when repeated."""

        async def change(tx: Tx) -> None:
            endpoint = await tx.webhook_endpoints.get(endpoint_id)
            endpoint.deleted(self.clock.now())
            tx.remove(endpoint)

        await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class RotateWebhookSecret:
    """Signs with another secret."""

    store: Store
    clock: Clock
    ids: Ids

    async def __call__(self, account_id: AccountId, endpoint_id: WebhookEndpointId) -> WebhookEndpoint:
        """Return the endpoint with its new secret; the one before signs, too, for a day. Raises NotFound, SealBroken.

        Repeating makes another one, and forgets the one before the last at once.
        """

        async def change(tx: Tx) -> WebhookEndpoint:
            endpoint = await tx.webhook_endpoints.get(endpoint_id)
            endpoint.rotate(self.ids.random_bytes(), self.clock.now())
            tx.save(endpoint)
            return endpoint

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class TryWebhookEndpoint:
    """Has an endpoint called though nothing happened, as it is called when something did."""

    store: Store
    limits: Limits
    clock: Clock
    ids: Ids

    async def __call__(self, account_id: AccountId, endpoint_id: WebhookEndpointId) -> WebhookDelivery:
        """Return the delivery, which a job tries. Raises NotFound, TooManyTests, LimitsUnavailable.

        Repeating calls it again.
        """
        now = self.clock.now()
        charge = Charge(limits=self.limits, limit=TESTS, of=str(account_id), at=now, refusal=TooManyTests)

        async def change(tx: Tx) -> WebhookDelivery:
            endpoint = await tx.webhook_endpoints.get(endpoint_id)
            delivery = WebhookDelivery(
                account_id=account_id, id=WebhookDeliveryId(self.ids.random_id()), endpoint_id=endpoint.id,
                kind=LiveKind.WEBHOOK_TEST, subject=endpoint.id, at=now,
            )  # fmt: skip
            tx.take(charge)
            tx.save(delivery)
            tx.queue(Job(DELIVER_WEBHOOK, account_id, delivery.id))
            return delivery

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ListWebhookDeliveries:
    """Shows what was told to an endpoint lately."""

    store: Store

    async def __call__(
        self,
        account_id: AccountId,
        endpoint_id: WebhookEndpointId,
        before: tuple[datetime, WebhookDeliveryId] | None,
        limit: int,
    ) -> list[WebhookDelivery]:
        """Return up to `limit`, the latest event first. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            await tx.webhook_endpoints.get(endpoint_id)
            return await tx.webhook_deliveries.page(endpoint_id, before, limit)
