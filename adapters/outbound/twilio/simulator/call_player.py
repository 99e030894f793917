"""Whole calls at the simulated Twilio: it asks what is to be done, does it, and tells what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin
from xml.etree.ElementTree import Element, ParseError, fromstring

from adapters.outbound.twilio.simulator.account import Account
from adapters.outbound.twilio.simulator.calls import Calls, call_form
from adapters.outbound.twilio.simulator.recordings import LeftMessage, Recordings
from adapters.outbound.twilio.simulator.resources import Resource, rfc2822
from adapters.outbound.twilio.simulator.webhooks import Webhooks
from adapters.tones import tone

MOST_DOCUMENTS = 12
"""A call that is asked to go on for longer goes round in circles."""
ENDS = {
    "answered": "completed",
    "machine": "completed",
    "busy": "busy",
    "no_answer": "no-answer",
    "failed": "failed",
}


@dataclass(frozen=True, slots=True)
class Script:
    """What the people on a call do.

    `outcome`: what becomes of whatever is rung: `answered`, `busy`, `no_answer`, `failed`, `machine` (a mailbox takes
    the call and presses nothing), `hang_up` (the caller gives up while it rings), `ringing` (it goes on ringing).
    `forwarded` is the same of a telephone to which the call is forwarded; unless said, as `outcome`. `key` is what
    whoever answers there presses. `says` is what whoever is recorded says, the caller or the person with the app; None:
    they hang up instead.
    """

    outcome: str = "answered"
    forwarded: str = ""
    key: str = "1"
    seconds: int = 50
    says: str | None = None


class HungUp(Exception):
    """Whoever called is not there any more, or will ring for ever."""


@dataclass(slots=True)
class Player:
    """Plays one call after the other; what is asked and told goes over the wire, signed."""

    account: Account
    webhooks: Webhooks
    calls: Calls = field(init=False)

    def __post_init__(self) -> None:
        """Keep records beside the rest of the account's state."""
        self.calls = Calls(self.account)

    async def incoming(self, sender: str, to: str, script: Script) -> Resource:
        """Let somebody call an owned number, until the call is over."""
        number = self.account.state.owned(to)
        shape = self.calls.begin(sender, to, "inbound")
        if number is not None:
            await self._course(shape, number["voice_url"], number["status_callback"], script)
        return shape

    async def from_app(self, client: str, to: str, application_url: str, script: Script) -> Resource:
        """Let an app call somebody: its application is asked what is to be done."""
        shape = self.calls.begin(f"client:{client}", to, "inbound")
        await self._course(shape, application_url, "", script)
        return shape

    async def placed(self, shape: Resource, form: Mapping[str, str], script: Script) -> None:
        """Ring whom we were asked to call, and go on as the asker says once somebody answers."""
        if script.outcome in {"answered", "machine"}:
            await self._course(shape, form.get("Url", ""), form.get("StatusCallback", ""), script)
        else:
            self.calls.move(shape, ENDS.get(script.outcome, "no-answer"))
            await self._tell(form.get("StatusCallback", ""), shape)

    async def _course(self, shape: Resource, asked: str, told: str, script: Script) -> None:
        try:
            document = await self._ask(asked, call_form(self.account, shape))
            self.calls.move(shape, "in-progress")
            for _ in range(MOST_DOCUMENTS):
                next_ = await self._follow(shape, document, asked, script)
                if next_ is None:
                    break
                document = next_
        except HungUp:
            if script.outcome == "ringing":
                return
        if shape["status"] == "in-progress":
            self.calls.move(shape, "completed", script.seconds + 5)
        await self._tell(told, shape)

    async def _follow(self, shape: Resource, document: Element, base: str, script: Script) -> Element | None:
        """Do what a document says; return the next one, if there is one."""
        for verb in document:
            match verb.tag:
                case "Dial":
                    return await self._dial(shape, verb, base, script)
                case "Reject":
                    self.calls.move(shape, "busy")
                    return None
                case "Record":
                    await self._record(shape, verb, base, script)
                    return None
                case "Hangup":
                    return None
        return None

    async def _dial(self, shape: Resource, dial: Element, base: str, script: Script) -> Element:
        target = dial[0]
        rung = f"client:{target.text}" if target.tag == "Client" else str(target.text)
        leg = self.calls.begin(dial.get("callerId") or shape["from"], rung, "outbound-dial", shape["sid"])
        outcome = (script.forwarded or script.outcome) if target.get("url") else script.outcome
        told = urljoin(base, target.get("statusCallback", "")) if target.get("statusCallback") else ""
        for at, status in enumerate(("initiated", "ringing")):
            self.calls.move(leg, "ringing")
            await self._tell(told, leg, CallStatus=status, SequenceNumber=str(at))
        if outcome in {"ringing", "hang_up"}:
            if outcome == "hang_up":
                self.calls.move(leg, "canceled")
                self.calls.move(shape, "no-answer")
            raise HungUp
        bridged = outcome == "answered"
        if outcome in {"answered", "machine"}:
            self.calls.move(leg, "in-progress")
            await self._tell(told, leg, SequenceNumber="2")
            if target.get("url"):
                key = script.key if outcome == "answered" else ""
                bridged = await self._screened(leg, urljoin(base, target.get("url", "")), key)
        seconds = script.seconds if outcome in {"answered", "machine"} else 0
        self.calls.move(leg, ENDS.get(outcome, "no-answer"), seconds)
        await self._tell(told, leg, SequenceNumber="3", CallDuration=str(seconds))
        said = {
            "DialCallStatus": leg["status"],
            "DialCallSid": leg["sid"],
            "DialBridged": str(bridged).lower(),
        }
        if seconds:
            said["DialCallDuration"] = str(seconds)
        return await self._ask(urljoin(base, dial.get("action", "")), call_form(self.account, shape, **said))

    async def _screened(self, leg: Resource, url: str, key: str) -> bool:
        """Tell whether whoever answered is put through: by what the asker says, and the key they press or do not."""
        document = await self._ask(url, call_form(self.account, leg))
        gather = document.find("Gather")
        if gather is not None:
            if not key:
                return False
            action = urljoin(url, gather.get("action", ""))
            document = await self._ask(action, call_form(self.account, leg, Digits=key))
        return document.find("Hangup") is None

    async def _record(self, shape: Resource, verb: Element, base: str, script: Script) -> None:
        if script.says is None:
            return
        seconds = max(len(script.says) // 12, 3)

        def at(name: str) -> str:
            return urljoin(base, verb.get(name, "")) if verb.get(name) else ""

        left = LeftMessage(
            call_sid=shape["sid"], sender=shape["from"], to=shape["to"], audio=tone(seconds), seconds=seconds,
            words=script.says, action=at("action"), recorded=at("recordingStatusCallback"),
            transcribed=at("transcribeCallback"),
        )  # fmt: skip
        await Recordings(self.account, self.webhooks).leave(left)

    async def _ask(self, url: str, form: Mapping[str, str]) -> Element:
        """Ask what is to be done. No answer, or one that is no document: the call ends (Twilio: application error)."""
        try:
            return fromstring(await self.webhooks.ask(url, form))  # noqa: S314 - the asker's own
        except ParseError:
            return Element("Response")

    async def _tell(self, target: str, shape: Resource, **more: str) -> None:
        if target:
            said = {"Timestamp": rfc2822(self.account.now()), "CallbackSource": "call-progress-events"}
            if shape["duration"] is not None:
                said["CallDuration"] = shape["duration"]
            await self.webhooks.post(target, call_form(self.account, shape, **{**said, **more}))
