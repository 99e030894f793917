"""The endpoint that Apple's App Store calls: what it signed is verified, and taken for a hint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from aiohttp import web
from typing_extensions import override

from adapters.inbound.http_io import SAID_AT, WebhookEndpoint, Webhooks, read_body, strict_json
from adapters.inbound.webhooks.answers import answering, forbidden, malformed, noted
from adapters.inbound.webhooks.app_store.signed_data import AppleSignature
from application.ports.store_purchases import StoreHint
from application.use_cases import UseCases

APP_STORE = "/webhooks/app-store"
OLDEST, AHEAD = timedelta(days=8), timedelta(minutes=5)
"""How old what was signed may be: Apple repeats for a week what nobody took; and how far ahead of our clock."""

HintOf: TypeAlias = Callable[[Mapping[str, Any], Mapping[str, Any]], StoreHint | None]
"""Returns which purchase a notification and its transaction are about; None for what is about none."""


@dataclass(frozen=True, slots=True)
class App:
    """Which app this is, and in which of Apple's two environments."""

    bundle: str
    environment: str

    def is_named(self, said: Mapping[str, Any]) -> bool:
        """Tell whether Apple speaks of this app, in this environment."""
        return said.get("bundleId") == self.bundle and said.get("environment") == self.environment


class AppStoreWebhooks(Webhooks):
    """The endpoint the App Store calls. What Apple did not sign for this app, here and lately, is 403.

    Nothing of a notification is believed or kept but that it came, and which purchase it is about: Apple is asked how
    that one stands.
    """

    def __init__(
        self,
        use_cases: UseCases,
        signature: AppleSignature,
        app: App,
        hint_of: HintOf,
        now: Callable[[], datetime],
    ) -> None:
        """Verify with `signature`; `hint_of` reads which purchase a notification is about."""
        self._use_cases = use_cases
        self._signature = signature
        self._app = app
        self._hint_of = hint_of
        self._now = now

    @override
    def endpoints(self) -> Mapping[str, WebhookEndpoint]:
        return {APP_STORE: answering(self._answer)}

    async def _answer(self, request: web.BaseRequest, query: str) -> web.StreamResponse:
        raw = await read_body(request)
        try:
            body = strict_json(raw)
        except (ValueError, RecursionError):
            return malformed()
        return await self._take(body.get("signedPayload") if isinstance(body, dict) else None)

    async def _take(self, signed: object) -> web.Response:
        notification = self._signature.said(signed)
        if notification is None or not self._is_of_now(notification):
            return forbidden()
        about = notification.get("data", notification.get("summary"))
        if not isinstance(about, dict) or not self._app.is_named(about):
            return forbidden()
        if "signedTransactionInfo" not in about:
            return noted()  # a test, or the sum of what was told one by one
        transaction = self._signature.said(about["signedTransactionInfo"])
        if transaction is None or not self._app.is_named(transaction):
            return forbidden()
        hint = self._hint_of(notification, transaction)
        if hint is None:
            return malformed()
        await self._use_cases.receive_store_hint(hint)
        return noted()

    def _is_of_now(self, notification: Mapping[str, Any]) -> bool:
        """Tell whether it was signed lately, so that a copy is good for nothing once it is old."""
        at = notification.get("signedDate")
        if type(at) is not int or not 0 < at < 1 << 43:
            return False
        signed_at = datetime.fromtimestamp(at / 1000, UTC)
        SAID_AT.set(signed_at)
        return -AHEAD <= self._now() - signed_at <= OLDEST
