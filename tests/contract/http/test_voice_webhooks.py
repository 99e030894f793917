"""Calls, from Twilio's webhook to the document that answers it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element, fromstring

import pytest

from domain.call_words import Notice, Spoken
from domain.calls import Call, CallDirection, CallOutcome
from domain.forwarding import ForwardWhen
from domain.kernel import AccountId, LineId
from domain.values import Locale, PhoneNumber
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

    def __init__(self, http: HttpWorld, account_id: AccountId, line_id: LineId, token: str) -> None:
        self.http, self.account_id, self.line_id, self.token = http, account_id, line_id, token

    @classmethod
    async def of(cls, http: HttpWorld) -> Phone:
        token = await http.person()
        line = LineId(UUID(await http.line(token, OURS)))
        session = await http.world.use_cases.authenticate(token)
        return cls(http, session.account_id, line, token)

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
            return await tx.calls.page(None, None, None, 10)

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


async def test_a_line_is_quiet_when_it_is_told_to(http: HttpWorld) -> None:
    ada = await Phone.of(http)
    await ada.forward(ForwardWhen.ALWAYS)
    hours = {"starts": "00:00", "ends": "24:00", "time_zone": "UTC"}
    path = f"/v1/lines/{ada.line_id}"
    assert (await http.call("PATCH", path, {"do_not_disturb": hours}, token=ada.token)).status == 200
    assert names(await ada.incoming()) == ["Say", "Record", "Hangup"]


async def test_an_app_calls_from_its_line_and_from_no_other(http: HttpWorld) -> None:
    ada = await Phone.of(http)
    made = await http.call("POST", f"/v1/lines/{ada.line_id}/voice-tokens", token=ada.token)
    assert made.status == 200
    client = f"client:{made.json['identity']}"
    document = await ada.ask(f"{VOICE}/client", form_of(CALL, client, CALLER))
    assert names(document) == ["Dial", "Number"]
    assert (document[0].get("callerId"), document[0][0].text) == (OURS, CALLER)
    done = form_of(CALL, client, CALLER, DialCallStatus="completed", DialCallDuration="95")
    assert names(await ada.ask(document[0].get("action", ""), done)) == ["Hangup"]
    call = await ada.call()
    assert (call.direction, call.peer, call.outcome, call.talked_for, call.is_over) == (
        CallDirection.OUTBOUND, CALLER, CallOutcome.ANSWERED, 95, True,
    )  # fmt: skip
    forged = made.json["identity"][:-1] + ("a" if made.json["identity"][-1] != "a" else "b")
    other = f"CA{'1' * 32}"
    for identity in (forged, "line_01J0PICO", ""):
        assert names(await ada.ask(f"{VOICE}/client", form_of(other, f"client:{identity}", CALLER))) == [
            "Reject"
        ]
    not_hers = form_of(other, client, CALLER, LineId="01931f3a-6c00-7000-8000-00000000a0da")
    assert names(await ada.ask(f"{VOICE}/client", not_hers)) == ["Reject"]
    assert len(await ada.calls()) == 1


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("911", "Emergency"),
        ("112", "Emergency"),
        ("+19005550199", "not possible"),
        ("+2525550199", "not possible"),
        ("nonsense", "reached"),
        ("+1", "reached"),
    ],
)
async def test_an_app_hears_why_its_call_is_refused_and_nothing_is_kept(
    http: HttpWorld, to: str, said: str
) -> None:
    ada = await Phone.of(http)
    made = await http.call("POST", f"/v1/lines/{ada.line_id}/voice-tokens", token=ada.token)
    client = f"client:{made.json['identity']}"
    document = await ada.ask(f"{VOICE}/client", form_of(CALL, client, to))
    assert names(document) == ["Say", "Hangup"]
    assert said in (document[0].text or "")
    assert await ada.calls() == []


@pytest.mark.parametrize(
    ("to", "code"),
    [("+19005550199", "destination_not_allowed"), ("911", "invalid_input")],
)
async def test_a_call_that_is_refused_beforehand_says_why(http: HttpWorld, to: str, code: str) -> None:
    ada = await Phone.of(http)
    path = f"/v1/lines/{ada.line_id}/calls"
    answer = await http.call("POST", path, {"to": to}, token=ada.token, headers=http.key())
    assert answer.code == code


async def test_a_call_is_placed_once_and_connected_when_the_app_answers(http: HttpWorld) -> None:
    ada = await Phone.of(http)
    path, key = f"/v1/lines/{ada.line_id}/calls", http.key("once")
    placed = await http.call("POST", path, {"to": CALLER}, token=ada.token, headers=key)
    again = await http.call("POST", path, {"to": CALLER}, token=ada.token, headers=key)
    assert (placed.status, again.status) == (202, 202)
    assert placed.json["id"] == again.json["id"]
    assert http.world.voice.calls.count("place_call") == 1
    call = await ada.call()
    connect = f"{VOICE}/connect?line={ada.line_id}&call={call.id}"
    document = await ada.ask(connect, form_of(str(call.ref).replace("call-1", CALL), OURS, "client:x"))
    assert names(document) == ["Hangup"], "another call than the one that was placed"


async def test_a_stranger_to_the_line_gets_no_token_and_places_no_call(http: HttpWorld) -> None:
    ada, bob = await Phone.of(http), await http.person("bob")
    for path, body in (("calls", {"to": CALLER}), ("voice-tokens", None)):
        answer = await http.call(
            "POST", f"/v1/lines/{ada.line_id}/{path}", body, token=bob, headers=http.key()
        )
        assert answer.status == 404


async def test_calls_are_forwarded_to_no_line_and_to_no_number_that_costs_extra(http: HttpWorld) -> None:
    ada = await Phone.of(http)
    path = f"/v1/lines/{ada.line_id}/forwarding"
    for to, code in (
        ("+19005550199", "destination_not_allowed"), (OURS, "unreachable_number"), (OTHER, "forwarding_loop"),
    ):  # fmt: skip
        if to == OTHER:
            await http.line(ada.token, OTHER)
        answer = await http.call("PUT", path, {"to": to, "when": ["busy"]}, token=ada.token)
        assert answer.code == code
    answer = await http.call("PUT", path, {"to": CALLER, "when": ["busy", "always"]}, token=ada.token)
    assert (answer.json["forward_to"], answer.json["forward_when"]) == (CALLER, ["always", "busy"])
    answer = await http.call("DELETE", path, token=ada.token)
    assert (answer.json["forward_to"], answer.json["forward_when"]) == (None, [])


async def test_a_call_is_listed_read_and_deleted(http: HttpWorld) -> None:
    ada = await Phone.of(http)
    await ada.incoming()
    [shown] = (await http.call("GET", "/v1/calls", token=ada.token)).json["items"]
    assert shown["peer"] == CALLER
    [hers] = (await http.call("GET", f"/v1/calls?peer={CALLER.replace('+', '%2B')}", token=ada.token)).json[
        "items"
    ]
    path = f"/v1/calls/{shown['id']}"
    assert (await http.call("GET", path, token=ada.token)).json == shown == hers
    assert (await http.call("DELETE", path, token=ada.token)).status == 204
    assert (await http.call("GET", path, token=ada.token)).status == 404
    assert (await http.call("GET", "/v1/calls", token=ada.token)).json["items"] == []
    await http.webhook(f"{VOICE}/status", form_of(CALL, CallStatus="completed"))
    assert await ada.calls() == [], "a late report brings nothing back"


async def test_people_on_a_call_are_spoken_to_in_the_language_of_whose_line_it_is(http: HttpWorld) -> None:
    ada = await Phone.of(http)
    await http.world.use_cases.change_profile(ada.account_id, None, Locale("he-IL"))
    await ada.forward(ForwardWhen.ALWAYS)
    number = (await ada.incoming()).find("Dial/Number")
    assert number is not None
    leg = form_of(LEG, OURS, OTHER, ParentCallSid=CALL)
    asked = (await ada.ask(number.get("url", ""), leg)).find("Gather/Say")
    assert asked is not None
    assert asked.text == Notice.PRESS_TO_TAKE.words(Spoken.HEBREW).format(key="1")
    client = await http.world.call_clients.identity(ada.account_id, ada.line_id)
    refused = await ada.ask(f"{VOICE}/client", form_of(LEG, f"client:{client}", "911"))
    said = refused.find("Say")
    assert said is not None
    assert (said.text, said.get("language")) == (Notice.NO_EMERGENCY_CALLS.words(Spoken.HEBREW), "he-IL")
