"""What only whoever signs in to SendGrid's console changes: tracking of the whole account, and event webhooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KINDS = ("click", "open", "subscription", "google_analytics")


@dataclass(slots=True)
class Console:
    """The account's switches."""

    tracking: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(KINDS, False))
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    """As `GET /v3/user/webhooks/event/settings/all` lists them: `enabled`, `url`, `public_key`, a switch an event."""

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the operations that read them."""
        router.add_get("/v3/tracking_settings/{kind}", self._tracked)
        router.add_get("/v3/user/webhooks/event/settings/all", self._told)

    async def _tracked(self, request: web.Request) -> web.StreamResponse:
        kind = request.match_info["kind"]
        if kind not in self.tracking:
            raise web.HTTPNotFound
        return web.json_response({"enabled": self.tracking[kind]})

    async def _told(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"max_allowed": 5, "webhooks": self.webhooks})
