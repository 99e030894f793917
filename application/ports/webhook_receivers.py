"""Calling the addresses that accounts name: anybody's, so nothing that they do may harm us or lead anywhere else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.kernel import PicoError
from domain.webhook_deliveries import WebhookAnswer
from domain.webhook_endpoints import WebhookUrl


class WebhookUrlRefused(PicoError):
    """No webhook goes to this address: its host is not known, or not one that anybody can reach."""

    code = "webhook_url_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookCall:
    """What is told: the same id on every try, `at` this try's time, `body` the very bytes that are signed."""

    id: UUID
    at: datetime
    signatures: str
    body: bytes


class WebhookReceivers(Protocol):
    """Whoever answers at the addresses of webhook endpoints."""

    async def must_be_callable(self, url: WebhookUrl) -> None:
        """Look up where an address leads, without going there. Raises WebhookUrlRefused. Repeating is harmless.

        A host that is not known and one that is not to be reached are refused alike: nobody learns of ours.
        """
        ...

    async def call(self, url: WebhookUrl, call: WebhookCall) -> WebhookAnswer:
        """Call an address, and return the class of its answer, of which nothing is kept. Repeating calls it again.

        Never raises for what the other side does. It takes 15 seconds at most, follows nothing, and connects only to a
        public address that it has just looked up itself (in a Sandbox, to this machine as well): FORBIDDEN otherwise.
        """
        ...
