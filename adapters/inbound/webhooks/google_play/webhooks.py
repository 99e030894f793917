"""The endpoint to which Google's Pub/Sub pushes what Google Play tells: it is verified, and taken for a hint."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from aiohttp import web
from typing_extensions import override

from adapters.inbound.http_io import SAID_AT, WebhookEndpoint, Webhooks, read_body, strict_json
from adapters.inbound.webhooks.answers import answering, forbidden, malformed, noted
from adapters.inbound.webhooks.google_play.push_token import PushToken
from application.ports.store_purchases import StoreHint
from application.use_cases import UseCases

GOOGLE_PLAY = "/webhooks/google-play"

HintOf: TypeAlias = Callable[[str, Mapping[str, Any]], StoreHint | None]
"""Returns which purchase a message is about, given its id and what it says; None for what is about none."""


class GooglePlayWebhooks(Webhooks):
    """The endpoint that Pub/Sub calls. What does not come from our own subscription, about this app, is 403.

    Nothing of a notification is believed or kept but that it came, and which purchase it is about: Google is asked how
    that one stands. Pub/Sub repeats whatever is not answered by 2xx, for as long as the subscription keeps it.
    """

    def __init__(self, use_cases: UseCases, token: PushToken, package: str, hint_of: HintOf) -> None:
        """Verify with `token`; `hint_of` reads which purchase a message about the app `package` is about."""
        self._use_cases = use_cases
        self._token = token
        self._package = package
        self._hint_of = hint_of

    @override
    def endpoints(self) -> Mapping[str, WebhookEndpoint]:
        return {GOOGLE_PLAY: answering(self._answer)}

    async def _answer(self, request: web.BaseRequest, query: str) -> web.StreamResponse:
        raw = await read_body(request)
        return await self._take(request.headers.get("Authorization", ""), raw)

    async def _take(self, authorization: str, raw: bytes) -> web.Response:
        if not await self._token.is_good(authorization):
            return forbidden()
        try:
            message = strict_json(raw)["message"]
            ref, told = message["messageId"], strict_json(b64decode(message["data"], validate=True))
        except (ValueError, TypeError, KeyError, RecursionError):
            return malformed()
        if not isinstance(ref, str) or not isinstance(told, dict):
            return malformed()
        if told.get("packageName") != self._package:
            return forbidden()
        SAID_AT.set(_instant(told.get("eventTimeMillis")))
        hint = self._hint_of(ref, told)
        if hint is not None:  # otherwise a test, or about something that is sold once
            await self._use_cases.receive_store_hint(hint)
        return noted()


def _instant(millis: object) -> datetime | None:
    """Return an instant that Google writes as a text of milliseconds."""
    if not isinstance(millis, str) or not millis.isdecimal() or len(millis) > 13:  # noqa: PLR2004 - until 2286
        return None
    return datetime.fromtimestamp(int(millis) / 1000, UTC)
