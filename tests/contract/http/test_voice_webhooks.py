"""Calls, from Twilio's webhook to the document that answers it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element, fromstring

import pytest

from domain.calls import Call, CallDirection, CallOutcome
from domain.forwarding import ForwardWhen
from domain.kernel import AccountId, LineId
from domain.values import PhoneNumber
from tests.support.http_world import Answer, HttpWorld

VOICE = "/webhooks/twilio/voice"
OURS, CALLER, OTHER = "+12025550143", "+13105550178", "+14155550126"
CALL, LEG = f"CA{'0' * 30}c8", f"CA{'0' * 30}c9"


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


class Phone:
    """Somebody with a line, and whoever calls it."""

    def __init__(self, http: HttpWorld, account_id: AccountId, line_id: LineId) -> None:
        self.http, self.account_id, self.line_id = http, account_id, line_id

    @classmethod
    async def of(cls, http: HttpWorld) -> Phone:
        token = await http.person()
        line = LineId(UUID(await http.line(token, OURS)))
        session = await http.world.use_cases.authenticate(token)
        return cls(http, session.account_id, line)

    async def forward(self, *when: ForwardWhen) -> None:
        async def change(tx: Any) -> None:
            line = await tx.lines.get(self.line_id)
            line.forward(PhoneNumber(OTHER), frozenset(when))
            tx.save(line)

        await self.http.world.store.update(self.account_id, change)

    async def ask(self, path: str, form: dict[str, str]) -> Element:
        answer = await self.http.webhook(path, form)
        assert answer.status == 200, answer.body
        assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
        return fromstring(answer.body)  # noqa: S314 - our own

    async def incoming(self, caller: str = CALLER, path: str = VOICE) -> Element:
        return await self.ask(path, form_of(CALL, caller))

    async def calls(self) -> list[Call]:
        async with self.http.world.store.begin(self.account_id) as tx:
            return await tx.calls.page(None, None, 10)

    async def call(self) -> Call:
        [call] = await self.calls()
        return call


def form_of(sid: str, caller: str = CALLER, to: str = OURS, **more: str) -> dict[str, str]:
    """Return what Twilio sends of a call, what nobody asked for included."""
    return {
        "AccountSid": f"AC{'0' * 31}1", "ApiVersion": "2010-04-01", "CallSid": sid, "CallStatus": "ringing",
        "Direction": "inbound", "From": caller, "To": to, "FromCity": "LOS ANGELES", "CallerZip": "90012", **more,
    }  # fmt: skip


def names(document: Element) -> list[str]:
    return [element.tag for element in document.iter()][1:]


async def test_a_call_rings_the_apps_then_a_message_is_taken(http: HttpWorld) -> None:
    ada = await Phone.of(http)
    document = await ada.incoming()
    assert names(document) == ["Dial", "Client"]
    dial = document.find("Dial")
    assert dial is not None
    assert dial.get("record") is None
    assert dial.get("timeout") == "20"
    document = await ada.ask(dial.get("action", ""), form_of(CALL, DialCallStatus="no-answer"))
    assert names(document) == ["Say", "Record", "Hangup"]
    call = await ada.call()
    assert (call.direction, call.peer, call.outcome) == (
        CallDirection.INBOUND, CALLER, CallOutcome.NO_ANSWER,
    )  # fmt: skip


async def test_a_call_that_was_answered_is_over_when_they_have_talked(http: HttpWorld) -> None:
    ada = await Phone.of(http)
    await ada.incoming()
    done = form_of(CALL, DialCallStatus="completed", DialCallDuration="50", DialCallSid=LEG)
    assert names(await ada.ask(f"{VOICE}/dial-action?step=rang", done)) == ["Hangup"]
    call = await ada.call()
    assert (call.outcome, call.duration, call.is_over) == (CallOutcome.ANSWERED, 50, True)


async def test_a_forwarded_call_needs_the_key_else_the_caller_returns_to_our_mailbox(http: HttpWorld) -> None:
    ada = await Phone.of(http)
    await ada.forward(ForwardWhen.ALWAYS)
    document = await ada.incoming()
    assert names(document) == ["Dial", "Number"]
    dial, number = document[0], document[0][0]
    assert (number.text, dial.get("callerId")) == (OTHER, OURS)
    leg = form_of(LEG, OURS, OTHER, Direction="outbound-dial", ParentCallSid=CALL)
    screen = await ada.ask(number.get("url", ""), leg)
    assert names(screen) == ["Gather", "Say", "Hangup"]
    key = screen[0].get("action", "")
    assert names(await ada.ask(key, {**leg, "Digits": "2"})) == ["Hangup"]
    done = form_of(CALL, DialCallStatus="completed", DialCallDuration="9", DialBridged="true")
    back = await ada.ask(dial.get("action", ""), done)
    assert names(back) == ["Say", "Record", "Hangup"], "its mailbox took the call"
    assert (await ada.call()).talked_for == 0
    assert names(await ada.ask(key, {**leg, "Digits": "1"})) == []
    assert names(await ada.ask(dial.get("action", ""), done)) == ["Hangup"]
    assert (await ada.call()).outcome is CallOutcome.IN_PROGRESS
    await http.webhook(f"{VOICE}/status", form_of(CALL, CallStatus="completed", CallDuration="41"))
    call = await ada.call()
    assert (call.outcome, call.talked_for) == (CallOutcome.ANSWERED, 9)


@pytest.mark.parametrize(
    ("when", "status", "comes"),
    [
        (ForwardWhen.BUSY, "busy", "Dial"),
        (ForwardWhen.BUSY, "no-answer", "Say"),
        (ForwardWhen.NO_ANSWER, "no-answer", "Dial"),
        (ForwardWhen.NO_ANSWER, "failed", "Dial"),
        (ForwardWhen.NO_ANSWER, "busy", "Say"),
    ],
)
async def test_a_line_forwards_when_it_is_told_to(
    http: HttpWorld, when: ForwardWhen, status: str, comes: str
) -> None:
    ada = await Phone.of(http)
    await ada.forward(when)
    assert names(await ada.incoming()) == ["Dial", "Client"]
    document = await ada.ask(f"{VOICE}/dial-action?step=rang", form_of(CALL, DialCallStatus=status))
    assert names(document)[0] == comes


async def test_whoever_is_blocked_hears_that_it_is_busy_and_leaves_nothing(http: HttpWorld) -> None:
    ada = await Phone.of(http)
    await http.world.use_cases.block_number(ada.account_id, PhoneNumber(CALLER))
    assert names(await ada.incoming()) == ["Reject"]
    assert names(await ada.incoming()) == ["Reject"]
    assert await ada.calls() == []


@pytest.mark.parametrize("caller", ["anonymous", "Restricted", "unknown", "+266696687", "sip:x@y", ""])
async def test_a_caller_who_withholds_the_number_is_taken_in(http: HttpWorld, caller: str) -> None:
    ada = await Phone.of(http)
    assert names(await ada.incoming(caller)) == ["Dial", "Client"]
    assert (await ada.call()).peer is None


async def test_a_number_that_is_not_ours_is_busy_and_a_nonsense_is_refused(http: HttpWorld) -> None:
    ada = await Phone.of(http)
    document = await ada.ask(VOICE, form_of(CALL, to=OTHER))
    assert names(document) == ["Reject"]
    for form in ({"CallSid": "x"}, {**form_of(CALL), "CallSid": f"{CALL}FromX"}, form_of("")):
        answer: Answer = await http.webhook(VOICE, form)
        assert answer.status == 400
    assert (await http.webhook(VOICE, form_of(CALL), signed="nonsense")).status == 403
    assert await ada.calls() == []
