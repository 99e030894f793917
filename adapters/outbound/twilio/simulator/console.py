"""What only whoever signs in to Twilio's console changes, and what the account's owner can list of it."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from adapters.outbound.twilio.simulator.account import Account
from adapters.outbound.twilio.simulator.resources import VERSION, Refused, Resource, uri


@dataclass(frozen=True, slots=True)
class Console:
    """Applications, which are made by hand, and the recordings of an account."""

    account: Account
    applications: dict[str, Resource]

    def routes(self) -> list[web.RouteDef]:
        """Return the operations of the 2010 API."""
        root = f"/{VERSION}/Accounts/{self.account.sid}"
        return [
            web.get(f"{root}/Applications/{{sid}}.json", self.application),
            web.get(f"{root}/Recordings.json", self.recordings),
        ]

    def add_application(self, sid: str, voice_url: str) -> None:
        """Make an application by hand, or change where it leads."""
        self.applications[sid] = {
            "sid": sid,
            "account_sid": self.account.sid,
            "api_version": VERSION,
            "friendly_name": "Pico",
            "voice_url": voice_url,
            "voice_method": "POST",
            "voice_caller_id_lookup": False,
            "uri": uri(self.account.sid, "Applications", sid),
        }

    async def application(self, request: web.Request) -> web.Response:
        """FetchApplication."""
        found = self.applications.get(request.match_info["sid"])
        if found is None:
            raise Refused(20404)
        return web.json_response(found)

    async def recordings(self, request: web.Request) -> web.Response:
        """ListRecording, on one page."""
        held = list(self.account.state.recordings.values())
        return web.json_response(
            {"recordings": held, "page": 0, "page_size": len(held), "next_page_uri": None}
        )
