"""Addresses of one's own that are called when something happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pico_client.calls import Calls, given, new_key, part
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class WebhookEndpoint(Result):
    """An address that is called, for some kinds of events or, where `kinds` is None, for all."""

    id: str
    url: str | None
    kinds: list[str] | None
    state: str
    failing_since: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class SignedWebhookEndpoint(Result):
    """An address that is called, and the secret that signs the calls: it is shown this once."""

    id: str
    url: str | None
    kinds: list[str] | None
    state: str
    failing_since: datetime | None
    created_at: datetime
    secret: str
    former_secret_until: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class WebhookDelivery(Result):
    """Something that was told to an endpoint, or is to be."""

    id: str
    event: str
    subject_id: str
    occurred_at: datetime
    state: str
    attempts: int
    answer: str | None
    tried_at: datetime | None


class WebhookEndpoints(Calls):
    """What one does with webhook endpoints."""

    def add_webhook_endpoint(
        self, url: str, kinds: Iterable[str] | None = None, *, key: str | None = None
    ) -> SignedWebhookEndpoint:
        """Have an address called, for some kinds of events or for all. The secret is shown this once.

        Under the same `key`, made unless given, it is added once however often this is called.
        """
        new = given(url=url, kinds=None if kinds is None else list(kinds))
        return self._ask(
            SignedWebhookEndpoint, "POST", "/v1/webhook-endpoints", body=new, key=key or new_key()
        )

    def list_webhook_endpoints(self) -> Iterator[WebhookEndpoint]:
        """List the addresses that are called, newest first."""
        return self._list(WebhookEndpoint, "/v1/webhook-endpoints")

    def read_webhook_endpoint(self, webhook_endpoint_id: str) -> WebhookEndpoint:
        """Read one of them."""
        return self._ask(WebhookEndpoint, "GET", f"/v1/webhook-endpoints/{part(webhook_endpoint_id)}")

    def change_webhook_endpoint(
        self,
        webhook_endpoint_id: str,
        url: str | None = None,
        kinds: Iterable[str] | None = None,
        *,
        enabled: bool | None = None,
    ) -> WebhookEndpoint:
        """Change an endpoint; None leaves a field as it is, no kinds at all mean every kind."""
        change = given(url=url, enabled=enabled)
        if kinds is not None:
            change["kinds"] = list(kinds) or None
        path = f"/v1/webhook-endpoints/{part(webhook_endpoint_id)}"
        return self._ask(WebhookEndpoint, "PATCH", path, body=change)

    def delete_webhook_endpoint(self, webhook_endpoint_id: str) -> None:
        """Have an address not be called any more."""
        self._send("DELETE", f"/v1/webhook-endpoints/{part(webhook_endpoint_id)}")

    def test_webhook_endpoint(self, webhook_endpoint_id: str) -> WebhookDelivery:
        """Have an endpoint called with `webhook.test`, signed and listed as any other call."""
        return self._ask(WebhookDelivery, "POST", f"/v1/webhook-endpoints/{part(webhook_endpoint_id)}/test")

    def rotate_webhook_secret(self, webhook_endpoint_id: str) -> SignedWebhookEndpoint:
        """Sign with another secret; the one before signs, too, for a day."""
        path = f"/v1/webhook-endpoints/{part(webhook_endpoint_id)}/secret"
        return self._ask(SignedWebhookEndpoint, "POST", path)

    def list_webhook_deliveries(self, webhook_endpoint_id: str) -> Iterator[WebhookDelivery]:
        """List what was told to an endpoint in the last seven days, the latest event first."""
        return self._list(WebhookDelivery, f"/v1/webhook-endpoints/{part(webhook_endpoint_id)}/deliveries")
