"""The endpoints that Twilio calls: a form is verified, then handed to the theme it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from aiohttp import web
from typing_extensions import override

from adapters.inbound.http_io import WebhookEndpoint, Webhooks, read_body
from adapters.inbound.webhooks.answers import answering, forbidden, malformed
from adapters.inbound.webhooks.twilio.form import FormHandler, pairs_of, well_formed
from adapters.inbound.webhooks.twilio.messages import OutcomeOf, TwilioMessages
from adapters.inbound.webhooks.twilio.signature import TwilioSignature
from adapters.inbound.webhooks.twilio.voice import TwilioVoice, WriteDown
from adapters.inbound.webhooks.twilio.voicemail import CallerOf, TranscriptionOf, TwilioVoicemail
from application.use_cases import UseCases


class TwilioWebhooks(Webhooks):
    """The endpoints Twilio calls at `public_url`. What cannot be verified is 403, whatever else is wrong with it.

    City, state, ZIP and the like come unasked; only the fields that a theme's module names are ever looked at.
    """

    def __init__(
        self,
        use_cases: UseCases,
        signature: TwilioSignature,
        outcome_of: OutcomeOf,
        written: WriteDown,
        caller_of: CallerOf,
        transcription_of: TranscriptionOf,
        public_url: str,
    ) -> None:
        """Verify with `signature`; `outcome_of` translates Twilio's word for a message's status, and its code.

        `written` writes down what is to be done with a call.
        `caller_of` reads who called, and `transcription_of` what came of a transcript.
        """
        self._signature = signature
        self._public_url = public_url.rstrip("/")
        self._handlers: dict[str, FormHandler] = {
            **TwilioMessages(
                use_cases.receive_message, use_cases.apply_delivery_receipt, outcome_of
            ).handlers(),
            **TwilioVoice(
                use_cases.answer_call,
                use_cases.continue_call,
                use_cases.accept_forwarded_call,
                use_cases.apply_call_report,
                use_cases.answer_app,
                use_cases.connect_call,
                written,
            ).handlers(),
            **TwilioVoicemail(
                use_cases.receive_voicemail,
                use_cases.refuse_recording,
                use_cases.apply_transcript,
                caller_of,
                transcription_of,
            ).handlers(),
        }

    @override
    def endpoints(self) -> Mapping[str, WebhookEndpoint]:
        return {
            path: partial(answering(self._answer), path, handler) for path, handler in self._handlers.items()
        }

    async def _answer(
        self, path: str, handler: FormHandler, request: web.BaseRequest, query: str
    ) -> web.StreamResponse:
        signed = await self._verified(request, path, query)
        if signed is None:
            return forbidden()
        form = well_formed(signed)
        return malformed() if form is None else await handler(form, query)

    async def _verified(
        self, request: web.BaseRequest, path: str, query: str
    ) -> Sequence[tuple[str, str]] | None:
        """Return the pairs of a form, if Twilio signed it for the address we gave it, whatever `Host` says."""
        headers = request.headers
        signature = headers.get("X-Twilio-Signature")
        if not signature:
            return None
        raw = await read_body(request)
        try:
            pairs = pairs_of(raw)
        except ValueError:
            return None
        url = f"{self._public_url}{path}?{query}" if query else f"{self._public_url}{path}"
        settings = headers.get("X-Twilio-Webhooks-Signature-Settings", "")
        return pairs if self._signature.verify(url, pairs, signature, settings) else None
