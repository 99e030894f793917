"""Calls made up at Telnyx: every state of a line's settings, and after each command whatever Telnyx may tell next."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from adapters.inbound.webhooks.telnyx import TelnyxVoice
from adapters.inbound.webhooks.telnyx.app_calls import TelnyxAppCalls
from adapters.inbound.webhooks.telnyx.events import Event
from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.apps import TelnyxApps
from adapters.outbound.telnyx.call_control import TelnyxCallControl
from adapters.outbound.telnyx.client_state import SealedStates
from adapters.outbound.telnyx.legs import came_to
from application.ports.carrier_errors import CarrierRefused
from bootstrap.worlds import InMemory
from domain.values import Peer, PhoneNumber
from tests.support.actors import Person
from tests.support.call_flows import BLOCKED, CALLER, CALLERS, CallFlows

CAUSES = ("normal_clearing", "user_busy", "timeout", "not_found", "originator_cancel", "nonsense", None)
MAY_SAY = {
    "answer": {"client_state"},
    "reject": {"cause"},
    "hangup": set(),
    "speak": {"client_state", "payload", "voice"},
    "playback_start": {"client_state", "audio_url"},
    "gather_using_speak": {
        "client_state", "payload", "voice", "minimum_digits", "maximum_digits", "maximum_tries", "timeout_millis",
        "valid_digits",
    },
    "bridge": {"client_state", "call_control_id"},
    "record_start": {
        "client_state", "format", "channels", "recording_track", "play_beep", "max_length", "timeout_secs", "trim",
        "transcription", "transcription_engine", "transcription_language",
    },
    "dial": {
        "client_state", "connection_id", "from", "to", "timeout_secs", "time_limit_secs", "link_to", "custom_headers",
    },
    "client_state_update": {"client_state"},
}  # fmt: skip
"""All that Telnyx is ever told: nothing that forks, streams, listens or records a conversation."""
Command = tuple[str, str, Mapping[str, Any]]
"""Which leg by its control, what it is told, and with which words."""


@dataclass
class Told:
    """One call: every command, in its order, and after which event each came."""

    commands: list[tuple[str, Command]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    """What was pressed on which leg."""
    of_app: bool = False
    """Whether it is a call that goes out, and begins with an app."""
    to_itself: bool = False
    """Whether such a one goes to the line's own number."""

    def names(self) -> set[str]:
        return {name for _, (_, name, _) in self.commands}

    @property
    def recorded(self) -> list[str]:
        """What has anything recorded besides the message of a caller who was greeted, and a person's own greeting.

        They are alone, and called their own line: nobody is ever called for them, and nobody put through to them.
        """
        alone = self.to_itself and not any(
            name == "bridge" or (name == "dial" and isinstance(said["to"], str))
            for _, (_, name, said) in self.commands
        )
        return [
            f"{name} after {event}"
            for event, (leg, name, said) in self.commands
            if any("record" in word for word in (name, *said))
            and not (
                name == "record_start"
                and event in {"call.speak.ended", "call.playback.ended"}
                and (alone or ("caller" in leg and not self.of_app))
            )
        ]

    @property
    def strange(self) -> set[str]:
        """What is told beside what may be."""
        return {
            f"{name} {word}"
            for _, (_, name, said) in self.commands
            for word in ("", *said)
            if name not in MAY_SAY or (word and word not in MAY_SAY[name] | {"command_id"})
        }

    @property
    def without_key(self) -> list[Command]:
        """Who is put through to whom, though nobody pressed the key there, and neither is an app."""
        return [
            command
            for _, command in self.commands
            if command[1] == "bridge"
            and self.keys.get(command[2]["call_control_id"]) != "1"
            and not any("app" in control for control in (command[0], command[2]["call_control_id"]))
        ]

    @property
    def menus(self) -> list[str]:
        """Callers who are asked for keys: only whoever answers elsewhere is."""
        return [leg for _, (leg, name, _) in self.commands if name.startswith("gather") and "caller" in leg]

    @property
    def spoofable(self) -> list[object]:
        """Telephones that are rung in another's name than the line's."""
        return [
            said["from"]
            for _, (_, name, said) in self.commands
            if name == "dial" and not said["from"].startswith("+1202555")
        ]

    @property
    def largest(self) -> int:
        return max((len(json.dumps(said)) for _, (_, _, said) in self.commands), default=0)


class Listening:
    """Telnyx's API as far as calls are commanded: it takes every command, or refuses some, and remembers them."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.commands, self.serial = chance, list[Command](), 0

    async def post(self, path: str, said: Mapping[str, Any], *, key: str | None = None) -> Mapping[str, Any]:
        assert key is None
        if path == "/calls":
            self.serial += 1
            control = f"v3:{'app' if isinstance(said['to'], list) else 'other'}-{self.serial}"
            self.commands.append((control, "dial", said))
            if self.chance.random() < 0.1:
                raise CarrierRefused(10016)
            return {"call_control_id": control, "call_leg_id": control.removeprefix("v3:")}
        _, _, control, _, action = path.split("/")
        self.commands.append((control, action, said))
        if self.chance.random() < 0.05:
            raise CarrierRefused(90018)
        return {"result": "ok"}

    async def get(self, path: str) -> Mapping[str, Any]:
        assert path.startswith(("/calls/v3:caller", "/calls/v3:app"))
        told = [
            said.get("client_state") for control, _, said in self.commands if control == path.split("/")[2]
        ]
        return {"client_state": next(filter(None, reversed(told)), None), "is_alive": True}

    async def items(self, path: str, query: Any) -> AsyncIterator[Mapping[str, Any]]:
        """List an app that may be rung, or none; of a leg by its events nothing is listed."""
        if path == "/telephony_credentials" and self.chance.random() < 0.6:
            asked = dict(query)
            yield {
                "name": asked["filter[name]"], "resource_id": asked["filter[resource_id]"], "sip_username": "gencredx",
                "expires_at": "2999-01-01T00:00:00", "created_at": "2026-01-01T00:00:00",
            }  # fmt: skip

    async def put(self, path: str, said: Mapping[str, Any]) -> None:
        self.commands.append((path.split("/")[2], "client_state_update", said))


Handlers = Mapping[str, Callable[[Event], Awaitable[None]]]


class TelnyxFlows(CallFlows):
    """Somebody's line, and any number of calls to it by way of Telnyx. Two with the same seed are the same."""

    def __init__(
        self,
        world: InMemory,
        ada: Person,
        seed: int = 0,
        control: type[TelnyxCallControl] = TelnyxCallControl,
    ) -> None:
        super().__init__(world, ada, None, seed)  # type: ignore[arg-type]  # it posts nothing
        self.api = Listening(self.random)
        api = TelnyxApi(self.api, None, "", world.clock.now)  # type: ignore[arg-type]  # as far as it is used
        use_cases = world.use_cases
        apps = TelnyxApps(self.api, "1567510696929005999")  # type: ignore[arg-type]  # as far as it is used
        self.control = control(api, SealedStates(world.keyring), "1293384261075731499", apps)
        self.handlers: Handlers = TelnyxVoice(
            answer=use_cases.answer_call,
            go_on=use_cases.continue_call,
            accept=use_cases.accept_forwarded_call,
            apply_report=use_cases.apply_call_report,
            control=self.control,
            apps=TelnyxAppCalls(
                use_cases.connect_call, use_cases.apply_call_report, self.control, ref_of, came_to
            ),
            ref_of=ref_of,
            came_to=came_to,
        ).handlers()

    async def told(self, count: int) -> list[Told]:
        """Make up so many calls. Blocked is BLOCKED."""
        await self.world.use_cases.block_number(self.ada.id, PhoneNumber(BLOCKED))
        return [await self._call() for _ in range(count)]

    async def _call(self) -> Told:
        told, chance = Told(), self.random
        await self._settings()
        self.serial += 1
        caller = {
            "call_control_id": f"v3:caller-{self.serial}", "call_leg_id": f"caller-{self.serial}",
            "call_session_id": f"session-{self.serial}", "from": chance.choice(CALLERS), "to": str(self.ada.number),
            "direction": "incoming", "client_state": None,
        }  # fmt: skip
        legs: dict[str, dict[str, Any]] = {str(caller["call_control_id"]): caller}
        ahead: list[tuple[str, str]] = [("call.initiated", str(caller["call_control_id"]))]
        if chance.random() < 0.3:
            ahead = await self._placed(told, legs)
        for _ in range(20):
            if not ahead:
                break
            name, control = ahead.pop(chance.randrange(len(ahead)))
            await self._happens(told, name, legs[control], legs, ahead)
            if chance.random() < 0.1:
                ahead.append((name, control))  # again
            if chance.random() < 0.1:
                await self._settings()
            self.world.clock.advance(timedelta(seconds=chance.randrange(60)))
        return told

    async def _placed(self, told: Told, legs: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
        """Place a call to somebody, or to the line itself, and return what Telnyx may tell first."""
        before, peer = len(self.api.commands), Peer(self.random.choice((CALLER, str(self.ada.number))))
        call_id = await self.begun(peer)
        told.of_app, told.to_itself = True, peer == Peer(self.ada.number)
        client = await self.world.call_clients.identity(self.ada.id, self.ada.line_id)
        with suppress(CarrierRefused):
            await self.control.place(call_id, self.ada.line_id, client, self.ada.number)
        ahead = []
        for control, command, said in self.api.commands[before:]:
            told.commands.append(("placed", (control, command, said)))
            ahead += self._follows(control, command, said, legs)
        return ahead

    async def _happens(
        self,
        told: Told,
        name: str,
        leg: dict[str, Any],
        legs: dict[str, dict[str, Any]],
        ahead: list[tuple[str, str]],
    ) -> None:
        chance, more = self.random, dict[str, Any]()
        if name == "call.gather.ended":
            more["digits"] = chance.choice(("", "1", "1", "2", "#", "11"))
            if more["digits"] == "1":
                told.keys[leg["call_control_id"]] = "1"
        if name == "call.hangup":
            more["hangup_cause"] = chance.choice(CAUSES)
        if name in {"call.speak.ended", "call.playback.ended"}:
            more["status"] = chance.choice(("completed", "completed", "call_hangup", "file_not_found"))
        event = Event(name, leg | more, self.world.clock.now().isoformat(), "", f"e-{chance.getrandbits(60)}")
        before = len(self.api.commands)
        await self.handlers[name](event)
        for control, command, said in self.api.commands[before:]:
            told.commands.append((name, (control, command, said)))
            ahead += self._follows(control, command, said, legs)

    def _follows(
        self, control: str, command: str, said: Mapping[str, Any], legs: dict[str, dict[str, Any]]
    ) -> list[tuple[str, str]]:
        """Return what Telnyx may tell after a command."""
        if command == "dial":
            legs[control] = {
                "call_control_id": control, "call_leg_id": control.removeprefix("v3:"), "call_session_id": "s",
                "from": said["from"],
                "to": said["to"] if isinstance(said["to"], str) else said["to"][0], "direction": "outgoing",
            }  # fmt: skip
        if control not in legs:
            return []
        if "client_state" in said:
            legs[control]["client_state"] = said["client_state"]
        follows = {
            "answer": ["call.answered"],
            "speak": ["call.speak.ended"],
            "playback_start": ["call.playback.ended"],
            "gather_using_speak": ["call.gather.ended"],
            "dial": ["call.initiated", "call.answered"],
        }.get(command, ["call.hangup"])
        return [(name, control) for name in follows] + [("call.hangup", control)] * (
            self.random.random() < 0.3
        )
