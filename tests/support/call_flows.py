"""Calls made up: every state of a line's settings, and after each answer whatever Twilio may ask next."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import combinations
from typing import Any
from xml.etree.ElementTree import Element, fromstring

from bootstrap.worlds import InMemory
from domain.calls import Call, CallDirection
from domain.forwarding import ForwardWhen
from domain.kernel import CallId
from domain.limits import Limit
from domain.lines import LineState, PhoneLine
from domain.quiet_hours import QuietHours
from domain.spend import SpendPolicy
from domain.values import Peer, PhoneNumber
from tests.support.actors import Person

VOICE = "/webhooks/twilio/voice"
TELEPHONE, CALLER, BLOCKED = "+14155550126", "+13105550178", "+13105550199"
OURS = "+12025550143"
CALLERS = (
    CALLER,
    BLOCKED,
    OURS,
    TELEPHONE,
    "anonymous",
    "Restricted",
    "+266696687",
    "72345",
    "sip:x@example.org",
    "",
    "ألو" * 20,
)
CASES = [frozenset(when) for size in range(4) for when in combinations(ForwardWhen, size)]
STATES = (LineState.ACTIVE,) * 8 + (LineState.SUSPENDED, LineState.PENDING_RELEASE, LineState.ORDERING)
OUTCOMES = ("completed", "busy", "no-answer", "failed", "canceled", "answered", "nonsense", "")
SAFE = {"Response", "Dial", "Client", "Number", "Gather", "Say", "Play", "Record", "Hangup", "Reject"}
"""All that is ever asked of Twilio: nothing that listens, streams, transcribes or records a conversation."""
MAY_SAY = {
    "Dial": {"action", "answerOnBridge", "callerId", "timeout", "timeLimit"},
    "Client": {"statusCallback", "statusCallbackEvent"},
    "Number": {"statusCallback", "statusCallbackEvent", "url"},
    "Gather": {"action", "numDigits", "timeout", "input"},
    "Record": {
        "action", "recordingStatusCallback", "recordingStatusCallbackEvent", "maxLength", "timeout", "finishOnKey",
        "playBeep", "trim", "transcribe", "transcribeCallback",
    },
    "Reject": {"reason"},
    "Say": {"voice", "language"},
}  # fmt: skip
Post = Callable[[str, dict[str, str]], Awaitable[tuple[int, bytes]]]


@dataclass
class Flow:
    """One call: what was asked, and the documents that answered."""

    of_app: bool = False
    """Whether an app makes it, or is rung for it: nobody from outside does."""
    to_itself: bool = False
    """Whether such a one goes to the line's own number."""
    documents: list[tuple[str, Element, int]] = field(default_factory=list)
    """Path, document, and its size in bytes."""
    put_through: int = 0
    """How often the two were put through to each other after a forwarded call."""
    without_key: int = 0
    """How often that was so without the key."""

    def elements(self) -> Iterator[tuple[str, Element]]:
        for path, document, _ in self.documents:
            for element in document.iter():
                yield path, element

    @property
    def recorded(self) -> list[str]:
        """What asks for a recording and is no message that a caller leaves, nor the greeting of a person alone."""
        dialled = any(element.tag == "Dial" for _, element in self.elements())
        return [
            f"{element.tag} {name}"
            for _, element in self.elements()
            for name in element.attrib
            if "record" in name.lower() and element.tag != "Record"
        ] + [
            f"Record of {'an app' if self.of_app else 'a caller'}"
            for _, document, _ in self.documents
            for record in document.iter("Record")
            if ("greeting-action" in record.get("action", "")) is not self.to_itself
            or (self.of_app and not self.to_itself)
            or (self.to_itself and dialled)
            or document.find("Dial") is not None
        ]

    @property
    def strange(self) -> set[str]:
        """What is asked of Twilio beside what may be."""
        return {
            f"{element.tag} {name}"
            for _, element in self.elements()
            for name in ("", *element.attrib)
            if element.tag not in SAFE or (name and name not in MAY_SAY.get(element.tag, set()))
        }

    @property
    def open_ways(self) -> list[Element]:
        """Telephones that are rung for somebody who called, and put through without being asked for a key."""
        return [
            number
            for _, document, _ in self.documents
            for dial in document.iter("Dial")
            for number in dial.iter("Number")
            if number.text == TELEPHONE and f"{VOICE}/screen" not in number.get("url", "")
        ]

    @property
    def spoofable(self) -> list[Element]:
        """Telephones that are rung in another's name than the line's: a mailbox may take that one for its owner."""
        return [
            dial
            for _, document, _ in self.documents
            for dial in document.iter("Dial")
            if dial.find("Number") is not None and not dial.get("callerId", "").startswith("+1202555")
        ]

    @property
    def menus(self) -> list[str]:
        """Where a caller is asked for keys, who has none to press: only whoever answers elsewhere is."""
        return [
            path for path, element in self.elements() if element.tag == "Gather" and "/screen" not in path
        ]

    @property
    def largest(self) -> int:
        return max((size for _, _, size in self.documents), default=0)


LARGE = Limit(name="large", most=10**9, within=timedelta(days=1), at_once=10**8)
GENEROUS = SpendPolicy(
    of_a_young_account=LARGE, of_an_account=LARGE, of_a_neighbourhood=LARGE, of_everybody=LARGE
)
"""So that it is not spent: what is refused then is another matter."""


class CallFlows:
    """Somebody's line, and any number of calls to it and from it. Two with the same seed are the same."""

    def __init__(self, world: InMemory, ada: Person, post: Post, seed: int = 0) -> None:
        self.world, self.ada, self.post, self.random = world, ada, post, random.Random(seed)
        self.serial = 0

    async def play(self, count: int) -> list[Flow]:
        """Make up so many calls. Blocked is BLOCKED."""
        await self.world.use_cases.block_number(self.ada.id, PhoneNumber(BLOCKED))
        return [await self.flow() for _ in range(count)]

    async def flow(self) -> Flow:
        flow, chance = Flow(), self.random
        await self._settings()
        self.serial += 1
        sid = f"CA{self.serial:032x}"
        caller = chance.choice(CALLERS)
        form = {"CallSid": sid, "From": caller, "To": str(self.ada.number), "Direction": "inbound"}
        form |= {"CallStatus": "ringing", "AccountSid": f"AC{1:032x}"}
        ask: list[tuple[str, dict[str, str]]] = [(VOICE, form)]
        kind = chance.random()
        if kind < 0.3:
            form = await self._from_app(form)
            ask = [(f"{VOICE}/client", form)]
            flow.of_app, flow.to_itself = True, form["To"] == self.ada.number
        elif kind < 0.4:
            peer = Peer(chance.choice((CALLER, str(self.ada.number))))
            form |= {"From": str(self.ada.number), "To": "client:x", "Direction": "outbound-api"}
            call_id = await self.begun(peer)
            ask = [(f"{VOICE}/connect?line={self.ada.line_id}&call={call_id}", form)]
            flow.of_app, flow.to_itself = True, peer == Peer(self.ada.number)
        for _ in range(12):
            if not ask:
                break
            path, said = ask.pop(chance.randrange(len(ask)))
            document = await self._asked(flow, path, said)
            if document is not None:
                ask += self._next(flow, document, form)
            if chance.random() < 0.1:
                ask.append((path, said))  # again
            if chance.random() < 0.1:
                await self._settings()
            self.world.clock.advance(timedelta(seconds=chance.randrange(60)))
        return flow

    async def _from_app(self, form: dict[str, str]) -> dict[str, str]:
        client = await self.world.call_clients.identity(self.ada.id, self.ada.line_id)
        own = str(self.ada.number)
        to = self.random.choice((CALLER, "911", "+19005550199", BLOCKED, "x", own, own))
        return form | {"From": f"client:{client}", "To": to}

    async def begun(self, peer: Peer) -> CallId:
        """Put a call that we place on record."""
        call_id = CallId(self.world.ids.new())

        async def begin(tx: Any) -> None:
            tx.save(
                Call.begin(
                    self.ada.id, call_id, self.ada.line_id, direction=CallDirection.OUTBOUND, ref=None, peer=peer,
                    at=self.world.clock.now(),
                )
            )  # fmt: skip

        await self.world.store.update(self.ada.id, begin)
        return call_id

    def _next(self, flow: Flow, document: Element, form: dict[str, str]) -> list[tuple[str, dict[str, str]]]:
        """Return what Twilio may ask after a document."""
        chance, ask = self.random, list[tuple[str, dict[str, str]]]()
        leg = {"CallSid": f"CA{self.serial + (1 << 64):032x}", "ParentCallSid": form["CallSid"]}
        for dial in document.iter("Dial"):
            done = {"DialCallStatus": chance.choice(OUTCOMES), "DialCallDuration": str(chance.randrange(99))}
            ask.append((dial.get("action", ""), form | done))
            for number in dial.iter("Number"):
                if "url" in number.attrib:
                    rung = {"From": dial.get("callerId", ""), "To": number.text or ""}
                    ask.append((number.get("url", ""), form | rung | leg))
            for rung_ in (*dial.iter("Number"), *dial.iter("Client")):
                if at := rung_.get("statusCallback", "").partition("#")[0]:
                    status = {
                        "CallStatus": chance.choice(OUTCOMES) or "ringing",
                        "Direction": "outbound-dial",
                    }
                    ask.append((at, form | {"To": f"client:{rung_.text}"} | leg | status))
        for gather in document.iter("Gather"):
            digit = chance.choice(("", "1", "1", "1", "2", "#", "11"))
            rung = {"From": str(self.ada.number), "To": TELEPHONE, "Digits": digit}
            ask.append((gather.get("action", ""), form | rung | leg))
        for record in document.iter("Record"):
            left = {"RecordingSid": f"RE{self.serial:032x}", "RecordingDuration": "5", "Digits": "1"}
            ask.append((record.get("action", ""), form | left))
        return ask

    async def _asked(self, flow: Flow, path: str, form: dict[str, str]) -> Element | None:
        status, body = await self.post(path, form)
        assert status in {200, 204, 400}, (path, status)
        if status != 200:
            return None
        document = fromstring(body)  # noqa: S314 - our own
        flow.documents.append((path, document, len(body)))
        through = f"{VOICE}/key" in path and len(document) == 0
        flow.put_through += through
        flow.without_key += through and form.get("Digits") != "1"
        return document

    async def _settings(self) -> None:
        """Give the line other settings, and be in another state."""
        chance = self.random
        when, state = chance.choice(CASES), chance.choice(STATES)
        hours = chance.choice(
            (None, None, None, QuietHours("00:00-24:00 UTC"), QuietHours("22:00-07:00 UTC"))
        )

        async def change(tx: Any) -> None:
            line: PhoneLine = await tx.lines.get(self.ada.line_id)
            line.forward(PhoneNumber(TELEPHONE), when)
            line.be_quiet_during(hours)
            line.state = state
            tx.save(line)

        await self.world.store.update(self.ada.id, change)
