"""Webhook deliveries: that something is to be told to an endpoint, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, NewType
from uuid import UUID

from domain.kernel import AccountId, Aggregate, WebhookEndpointId
from domain.live_kinds import LiveKind

WebhookDeliveryId = NewType("WebhookDeliveryId", UUID)

TRIED_FOR = timedelta(hours=24)
"""From when it happened; a try after that is the last."""


class WebhookDeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    """To be tried, or tried again."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """It was tried for a day."""
    WITHHELD = "withheld"
    """Its turn came while the account was frozen or deleted, or its endpoint switched off: nothing was sent."""


class WebhookAnswer(StrEnum):
    """How an endpoint answered, as a class: never what it said."""

    SUCCESS = "2xx"
    REDIRECT = "3xx"
    """It led elsewhere; nobody followed."""
    REFUSAL = "4xx"
    GONE = "410"
    ERROR = "5xx"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    """No connection, no certificate that holds, or no HTTP."""
    FORBIDDEN = "forbidden"
    """Its name leads to an address that nobody calls from here."""


@dataclass(slots=True, kw_only=True)
class WebhookDelivery(Aggregate):
    """Something that happened, on its way to one endpoint. Its id is that of the call, on every try."""

    stored_as: ClassVar[str] = "webhook_deliveries"
    clause: ClassVar[str] = "T14"

    account_id: AccountId
    id: WebhookDeliveryId
    endpoint_id: WebhookEndpointId
    kind: LiveKind
    subject: UUID
    at: datetime
    state: WebhookDeliveryState = WebhookDeliveryState.WAITING
    attempts: int = 0
    answer: WebhookAnswer | None = None
    tried_at: datetime | None = None

    def tried(self, answer: WebhookAnswer, at: datetime) -> None:
        """Note a try. It is over when it went through, when the endpoint is gone, and after a day."""
        self.attempts, self.answer, self.tried_at = self.attempts + 1, answer, at
        if answer is WebhookAnswer.SUCCESS:
            self.state = WebhookDeliveryState.DELIVERED
        elif answer is WebhookAnswer.GONE or at - self.at >= TRIED_FOR:
            self.state = WebhookDeliveryState.FAILED

    def withhold(self) -> None:
        """Note that it is not sent."""
        self.state = WebhookDeliveryState.WITHHELD

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state is not WebhookDeliveryState.WAITING
