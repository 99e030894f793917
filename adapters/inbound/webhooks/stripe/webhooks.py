"""The endpoint that Stripe calls: the raw bytes are verified, and what they say is taken for a hint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from aiohttp import web
from typing_extensions import override

from adapters.inbound.http_io import SAID_AT, WebhookEndpoint, Webhooks, read_body, strict_json
from adapters.inbound.webhooks.answers import answering, forbidden, malformed, noted
from adapters.inbound.webhooks.stripe.signature import StripeSignature
from application.ports.payments import PaymentHint, PaymentsUnavailable
from application.use_cases import UseCases

STRIPE = "/webhooks/stripe"
EVENT = "event"
"""What calls itself something else, as Stripe's events of its second API do, was not asked for."""

HintOf: TypeAlias = Callable[[object], PaymentHint | None]
"""Returns whom an event is about. Raises PaymentsUnavailable for what is no event."""


class StripeWebhooks(Webhooks):
    """The endpoint Stripe calls. What cannot be verified is 403, whatever else is wrong with it.

    Nothing of an event is believed or kept but that it came, and whom it is about: a job asks Stripe for the truth.
    """

    def __init__(self, use_cases: UseCases, signature: StripeSignature, hint_of: HintOf) -> None:
        """Verify with `signature`; `hint_of` reads whom an event is about."""
        self._use_cases = use_cases
        self._signature = signature
        self._hint_of = hint_of

    @override
    def endpoints(self) -> Mapping[str, WebhookEndpoint]:
        return {STRIPE: answering(self._answer)}

    async def _answer(self, request: web.BaseRequest, query: str) -> web.StreamResponse:
        raw = await self._verified(request)
        if raw is None:
            return forbidden()
        try:
            event = strict_json(raw)
            is_ours = isinstance(event, dict) and event.get("object") == EVENT
            hint = self._hint_of(event) if is_ours else None
        except (ValueError, RecursionError, PaymentsUnavailable):
            return malformed()
        if hint is not None:
            SAID_AT.set(hint.at)
            await self._use_cases.receive_payment_hint(hint)
        return noted()

    async def _verified(self, request: web.BaseRequest) -> bytes | None:
        """Return the bytes that came, if Stripe signed just these."""
        signatures = request.headers.getall("Stripe-Signature", ())
        if len(signatures) != 1:
            return None
        raw = await read_body(request)
        return raw if self._signature.verify(signatures[0], raw) else None
