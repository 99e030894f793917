"""The endpoint that SendGrid calls: the raw bytes are verified, and of what they say one thing is heeded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiohttp import web
from typing_extensions import override

from adapters.inbound.http_io import WebhookEndpoint, Webhooks, read_body, strict_json
from adapters.inbound.webhooks.answers import answering, forbidden, malformed, not_now, noted
from adapters.inbound.webhooks.sendgrid.events import Undelivered, undelivered
from adapters.inbound.webhooks.sendgrid.signature import SendGridSignature
from application.use_cases import UseCases
from domain.kernel import PicoError

SENDGRID = "/webhooks/sendgrid"
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


class SendGridWebhooks(Webhooks):
    """The endpoint SendGrid calls. What cannot be verified is 403, whatever else is wrong with it."""

    def __init__(self, use_cases: UseCases, signature: SendGridSignature) -> None:
        """Verify with `signature`."""
        self._use_cases = use_cases
        self._signature = signature

    @override
    def endpoints(self) -> Mapping[str, WebhookEndpoint]:
        return {SENDGRID: answering(self._answer)}

    async def _answer(self, request: web.BaseRequest, query: str) -> web.StreamResponse:
        raw = await self._verified(request)
        if raw is None:
            return forbidden()
        try:
            found = tuple(undelivered(strict_json(raw)))
        except (ValueError, RecursionError):
            return malformed()
        return noted() if await self._note(found) else not_now()

    async def _note(self, found: Iterable[Undelivered]) -> bool:
        """Note each; one that fails holds up no other. Tell whether none did."""
        whole = True
        for each in found:
            try:
                await self._use_cases.note_unreachable(each.email, each.why, each.at)
            except PicoError:
                whole = False
        return whole

    async def _verified(self, request: web.BaseRequest) -> bytes | None:
        """Return the bytes that came, if SendGrid signed just these."""
        signatures = request.headers.getall(SIGNATURE, ())
        times = request.headers.getall(TIMESTAMP, ())
        if len(signatures) != 1 or len(times) != 1:
            return None
        raw = await read_body(request)
        return raw if self._signature.verify(times[0], raw, signatures[0]) else None
