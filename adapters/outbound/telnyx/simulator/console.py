"""What only whoever signs in to Telnyx's portal changes: the application that takes calls. It shows the public key."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from adapters.outbound.telnyx.simulator.resources import Refused, Resource


@dataclass(slots=True)
class Console:
    """The account's public key, and its applications by id."""

    public_key: str
    applications: dict[str, Resource] = field(default_factory=dict)

    def add_application(self, connection_id: str, webhook: str) -> Resource:
        """Make an application whose calls are told to `webhook`; return it as it is told, to be altered."""
        self.applications[connection_id] = {
            "id": connection_id,
            "record_type": "call_control_application",
            "active": True,
            "webhook_api_version": "2",
            "webhook_event_url": webhook,
            "webhook_event_failover_url": None,
        }
        return self.applications[connection_id]

    def routes(self) -> list[web.RouteDef]:
        """Return the operations that read them."""
        return [
            web.get("/v2/public_key", self._key),
            web.get("/v2/call_control_applications/{id}", self._application),
        ]

    async def _key(self, _request: web.Request) -> web.Response:
        return web.json_response({"data": {"public": self.public_key}})

    async def _application(self, request: web.Request) -> web.Response:
        found = self.applications.get(request.match_info["id"])
        if found is None:
            raise Refused(10005, f"{request.path} was not found")
        return web.json_response({"data": found})
