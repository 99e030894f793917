"""Whole calls at the simulated Telnyx: it tells what happens to each leg, and does what it is commanded."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adapters.outbound.telnyx.simulator.account import Account
from adapters.outbound.telnyx.simulator.calls import Calls
from adapters.outbound.telnyx.simulator.recordings import Recordings, saved
from adapters.outbound.telnyx.simulator.resources import Resource, rfc3339
from adapters.outbound.telnyx.simulator.webhooks import Webhooks
from adapters.tones import tone

CONNECTION_ID = "1293384261075731499"
CAUSES = {"busy": "user_busy", "no_answer": "timeout", "failed": "not_found"}
LONGEST_CALL = 5.0
"""Seconds of real time for which a call is waited for that nobody ends."""


@dataclass(frozen=True, slots=True)
class Script:
    """What the people on a call do.

    `outcome`: what becomes of the apps, or else of another telephone that is rung: `answered`, `busy`, `no_answer`,
    `failed`, `machine` (a mailbox takes the call and presses nothing), `hang_up` (the caller gives up while it rings),
    `ringing` (it goes on ringing). `forwarded` says the same of the telephone where it differs. `key` is what whoever
    answers there presses. `says` is what whoever is recorded says, the caller or the person with the app, None: they
    hang up instead; `heard` is what is made of it in writing, as they say it unless said, and None: it is never put
    into writing.
    """

    outcome: str = "answered"
    forwarded: str = ""
    key: str = "1"
    seconds: int = 50
    says: str | None = None
    heard: str | None = ""


def is_app(leg: Resource) -> bool:
    """Tell whether a leg leads to an app."""
    return str(leg["to"]).startswith("sip:")


@dataclass(slots=True)
class Player:
    """Plays calls; each command brings about what follows from it. `target` is the application's webhook."""

    account: Account
    webhooks: Webhooks
    go: Callable[[Coroutine[Any, Any, None]], object]
    target: str | None = None
    scripts: dict[str, Script] = field(default_factory=dict)
    """By session."""
    placed: Script = Script(says="You have reached me. Please leave a message.")
    """Of a session that the customer begins. `outcome` is of the app, `forwarded` of whom it calls."""
    ends: dict[str, asyncio.Event] = field(default_factory=dict)
    """By leg: set once it is over."""
    talked: dict[str, int] = field(default_factory=dict)
    """By session: seconds that have gone by on the call, and not by the clock."""

    @property
    def calls(self) -> Calls:
        """The legs."""
        return Calls(self.account)

    async def incoming(self, sender: str, to: str, script: Script) -> Resource:
        """Let somebody call a number, until the call is over or is to go on ringing."""
        leg = self.calls.begin(sender, to, "incoming")
        self.scripts[leg["call_session_id"]] = script
        self.ends[leg["call_leg_id"]] = over = asyncio.Event()
        await self.tell("call.initiated", leg, {"state": "parked"})
        if script.outcome == "hang_up":
            await self._end(leg, "originator_cancel", "caller")
        elif script.outcome != "ringing":
            async with asyncio.timeout(LONGEST_CALL):
                await over.wait()
        return leg

    # ------------------------------------------------------------------------------------------ commands

    def command(self, control: str, action: str, said: Resource) -> None:
        """Do what is commanded, behind the answer. Raises Refused."""
        leg, news = self.calls.commanded(control, action, said)
        if news:
            self.go(getattr(self, action)(leg, said))

    async def answer(self, leg: Resource, _said: Resource) -> None:
        """Answer an incoming leg."""
        if leg["state"] == "parked":
            self.calls.move(leg, "answered")
            await self.tell("call.answered", leg, {"state": "answered"})

    async def reject(self, leg: Resource, said: Resource) -> None:
        """Refuse an incoming leg."""
        await self._end(leg, said["cause"].lower(), "callee")

    async def hangup(self, leg: Resource, _said: Resource) -> None:
        """End a leg."""
        await self._end(leg, "normal_clearing", "callee")

    async def speak(self, leg: Resource, said: Resource) -> None:
        """Read words to whoever is on the leg."""
        leg["said"] = said["payload"]
        await self.tell("call.speak.ended", leg, {"status": "completed"})

    async def playback_start(self, leg: Resource, said: Resource) -> None:
        """Play what lies at an address."""
        status = "completed"
        async with self.webhooks.session.get(said["audio_url"]) as answer:
            if answer.status != 200:  # noqa: PLR2004 - HTTP
                status = "file_not_found"
        await self.tell("call.playback.ended", leg, {"status": status, "media_url": said["audio_url"]})

    async def gather_using_speak(self, leg: Resource, said: Resource) -> None:
        """Ask for keys."""
        leg["said"] = said["payload"]
        script = self._script(leg)
        answered = (script.forwarded or script.outcome) == "answered"
        key = script.key if answered and script.key in said["valid_digits"] else ""
        await self.tell("call.gather.ended", leg, {"digits": key, "status": "valid" if key else "timeout"})

    async def bridge(self, leg: Resource, said: Resource) -> None:
        """Put two legs through to each other; they talk, and whoever was called hangs up."""
        other = self.calls.of_control(said["call_control_id"])
        for each in (leg, other):
            self.calls.move(each, "bridged")
            await self.tell("call.bridged", each, {})
        self.talked[leg["call_session_id"]] = self._script(leg).seconds
        await self._end(other, "normal_clearing", "callee")
        await self._end(leg, "normal_clearing", "callee")

    async def record_start(self, leg: Resource, said: Resource) -> None:
        """Record the message that the script's caller leaves; who says nothing hangs up."""
        script, recordings = self._script(leg), Recordings(self.account)
        if script.says is None:
            await self._end(leg, "normal_clearing", "caller")
            return
        seconds = min(max(len(script.says) // 12, 3), said["max_length"])
        kept = recordings.keep(leg, tone(seconds), seconds)
        await self.tell("call.recording.saved", leg, saved(kept))
        if said.get("transcription") and script.heard is not None:
            made = recordings.write_down(kept, script.heard or script.says)
            await self.tell(
                "call.recording.transcription.saved",
                leg,
                {
                    "recording_id": kept["id"],
                    "recording_transcription_id": made["id"],
                    "status": made["status"],
                    "transcription_text": made["transcription_text"],
                },
            )

    def dial(self, wish: Resource) -> Resource:
        """Ring another telephone. Raises Refused."""
        repeated = self._dialled(wish.get("command_id"))
        if repeated is not None:
            return repeated
        leg = self.calls.dial(wish)
        leg["commands"] = [wish.get("command_id")]
        self.go(self._ring(leg))
        return leg

    def _dialled(self, command: str | None) -> Resource | None:
        legs = self.account.state.calls.values()
        return next((leg for leg in legs if command and command in leg["commands"]), None)

    async def _ring(self, leg: Resource) -> None:
        script = self._script(leg)
        outcome = script.outcome if is_app(leg) else script.forwarded or script.outcome
        await self.tell("call.initiated", leg, {"state": "bridging"})
        if outcome in {"answered", "machine"}:
            self.calls.move(leg, "answered")
            await self.tell("call.answered", leg, {"state": "answered"})
        elif outcome in CAUSES:
            await self._end(leg, CAUSES[outcome], "callee")

    # ------------------------------------------------------------------------------------------ events

    def _script(self, leg: Resource) -> Script:
        return self.scripts.get(leg["call_session_id"], self.placed)

    def _now(self, leg: Resource) -> datetime:
        return self.account.now() + timedelta(seconds=self.talked.get(leg["call_session_id"], 0))

    async def _end(self, leg: Resource, cause: str, source: str) -> None:
        """End a leg; one that is over stays as it is."""
        if leg["state"] == "hangup":
            return
        self.calls.move(leg, "hangup", self._now(leg))
        said = {"state": "hangup", "hangup_cause": cause, "hangup_source": source, "sip_hangup_cause": "200"}
        await self.tell("call.hangup", leg, {**said, "start_time": leg["start_time"]})
        over = self.ends.pop(leg["call_leg_id"], None)
        if over is not None:
            over.set()

    async def tell(self, name: str, leg: Resource, more: Resource) -> None:
        """Tell what happened to a leg."""
        at = self._now(leg)
        payload = {
            "call_control_id": leg["call_control_id"],
            "call_leg_id": leg["call_leg_id"],
            "call_session_id": leg["call_session_id"],
            "client_state": leg["client_state"],
            "connection_id": CONNECTION_ID,
        }
        if name in {"call.recording.saved", "call.speak.ended", "call.playback.ended"}:
            payload |= more
        else:
            payload |= {"from": leg["from"], "to": leg["to"], "start_time": rfc3339(at), **more}
        if name == "call.initiated":
            payload["direction"] = leg["direction"]
        if name == "call.recording.saved":
            del payload["call_control_id"]
        self.calls.happened(name, leg, payload, at)
        await self.webhooks.post(self.target, name, payload, at)
