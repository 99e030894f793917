"""Calls at the simulated Telnyx over HTTP: commands, and what is told of them."""

from typing import Any

from aiohttp import web

from adapters.outbound.telnyx.simulator.call_player import Player
from adapters.outbound.telnyx.simulator.resources import Refused

ACTIONS = frozenset(
    {"answer", "reject", "hangup", "speak", "playback_start", "gather_using_speak", "bridge", "record_start"}
)
"""Commands that are played. Nothing else is ever commanded."""


class CallsApi:
    """The operations of the API v2."""

    def __init__(self, player: Player, one: Any, page: Any) -> None:  # noqa: ANN401 - shapes of answers
        """Answer with `one` resource or a `page` of them."""
        self.player, self.one, self.page = player, one, page

    def routes(self) -> list[web.RouteDef]:
        """Return them."""
        return [
            web.post("/v2/calls", self.dial),
            web.get("/v2/calls/{control}", self.status),
            web.post("/v2/calls/{control}/actions/{action}", self.command),
            web.put("/v2/calls/{control}/actions/client_state_update", self.take_state),
            web.get("/v2/call_events", self.events),
        ]

    async def dial(self, request: web.Request) -> web.Response:
        """Dial."""
        leg = self.player.dial(await request.json())
        names = ("call_control_id", "call_leg_id", "call_session_id")
        answer: web.Response = self.one(
            {"record_type": "call", "is_alive": False, **{n: leg[n] for n in names}}
        )
        return answer

    async def status(self, request: web.Request) -> web.Response:
        """RetrieveCallStatus."""
        answer: web.Response = self.one(self.player.calls.status(request.match_info["control"]))
        return answer

    async def command(self, request: web.Request) -> web.Response:
        """AnswerCall and the like: every command that is an action."""
        action = request.match_info["action"]
        if action not in ACTIONS:
            raise Refused(10005, f"{action} was not found")
        self.player.command(request.match_info["control"], action, await request.json())
        answer: web.Response = self.one({"result": "ok"})
        return answer

    async def take_state(self, request: web.Request) -> web.Response:
        """UpdateClientState."""
        calls = self.player.calls
        calls.take_state(calls.of_control(request.match_info["control"]), await request.json())
        answer: web.Response = self.one({"result": "ok"})
        return answer

    async def events(self, request: web.Request) -> web.Response:
        """ListCallEvents."""
        answer: web.Response = self.page(request, self.player.calls.events(dict(request.query)))
        return answer
