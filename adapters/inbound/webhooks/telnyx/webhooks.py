"""The endpoint that Telnyx calls: the raw bytes are verified, then handed to the use case they are about."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TypeAlias

from aiohttp import web
from typing_extensions import override

from adapters.inbound.http_io import SAID_AT, WebhookEndpoint, Webhooks, read_body
from adapters.inbound.webhooks.answers import answering, forbidden, noted
from adapters.inbound.webhooks.telnyx.events import (
    ORDERED,
    RECEIVED,
    REPORTED,
    Event,
    OutcomeOf,
    RefOf,
    delivery_receipt,
    inbound_message,
    ordered_numbers,
)
from adapters.inbound.webhooks.telnyx.signature import TelnyxSignature
from application.use_cases import UseCases
from domain.kernel import PicoError

TELNYX = "/webhooks/telnyx"
EventHandler: TypeAlias = Callable[[Event], Awaitable[None]]
NO_CALLS: Mapping[str, EventHandler] = MappingProxyType({})
A_HINT_TAKES = 1.5
"""Seconds that an order is asked about before Telnyx is answered, which waits for two; a job asks again."""


class TelnyxWebhooks(Webhooks):
    """The endpoint Telnyx calls at `public_url`. What cannot be verified is 403, whatever else is wrong with it.

    The other side's carrier and kind of line come unasked; only fields that `events` names are ever looked at. Which
    line or message an event is about is read from the address in the signed bytes, not from the one that was called.
    """

    def __init__(
        self,
        use_cases: UseCases,
        signature: TelnyxSignature,
        outcome_of: OutcomeOf,
        ref_of: RefOf,
        public_url: str,
        calls: Mapping[str, EventHandler] = NO_CALLS,
    ) -> None:
        """Verify with `signature`; `outcome_of` and `ref_of` translate Telnyx's words and ids.

        `calls` are the handlers of events about calls, by type, where Telnyx carries any.
        """
        self._calls = calls
        self._use_cases = use_cases
        self._signature = signature
        self._outcome_of, self._ref_of = outcome_of, ref_of
        self._webhooks = f"{public_url.rstrip('/')}{TELNYX}"

    @override
    def endpoints(self) -> Mapping[str, WebhookEndpoint]:
        return {TELNYX: answering(self._answer)}

    async def _answer(self, request: web.BaseRequest, query: str) -> web.StreamResponse:
        body = await self._verified(request)
        if body is None:
            return forbidden()
        event = Event.read(body)
        SAID_AT.set(event.happened_at)
        await self._take(event)
        return noted()

    async def _verified(self, request: web.BaseRequest) -> bytes | None:
        """Return the bytes that came, if Telnyx signed just these."""
        headers = request.headers
        timestamp = headers.get("telnyx-timestamp", "")
        signature = headers.get("telnyx-signature-ed25519")
        if not signature:
            return None
        raw = await read_body(request)
        return raw if self._signature.verify(timestamp, raw, signature) else None

    async def _take(self, event: Event) -> None:
        """Hand an event on; one that is about nothing of ours is taken and dropped. Redelivery is harmless."""
        if event.type in self._calls:
            await self._calls[event.type](event)
        elif event.type == RECEIVED:
            message = inbound_message(event, self._ref_of, self._webhooks)
            if message is not None:
                await self._use_cases.receive_message(message)
        elif event.type in REPORTED:
            receipt = delivery_receipt(event, self._ref_of, self._outcome_of, self._webhooks)
            if receipt is not None:
                await self._use_cases.apply_delivery_receipt(receipt)
        elif event.type == ORDERED:
            # What an order came to is asked, not believed; and a job asks anyway, should this take too long.
            with suppress(PicoError, TimeoutError):
                async with asyncio.timeout(A_HINT_TAKES):
                    for number in ordered_numbers(event):
                        await self._use_cases.apply_order_change(number)
