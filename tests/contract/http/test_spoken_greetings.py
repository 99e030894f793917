"""Greetings that are said on the telephone, whole: at the simulated Twilio, at Telnyx's, and over their webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from xml.etree.ElementTree import Element, fromstring

import pytest

from adapters.call_state import CallStage, CallState
from adapters.inbound.webhooks.twilio.voice import FROM_APP, GREETING_ACTION, VOICE
from adapters.inbound.webhooks.twilio.voicemail import RECORD_ACTION, RECORDING
from adapters.outbound.telnyx.simulator import Script as TelnyxScript
from adapters.outbound.twilio.simulator import Script
from adapters.tones import tone
from application.ports.carrier_errors import CarrierUnsupported
from bootstrap.worlds import InMemory
from domain.call_instructions import CallAnswer, RecordGreeting
from domain.call_words import Notice, Spoken
from domain.calls import Call, CallDirection, CallOutcome
from domain.kernel import CarrierRef
from domain.values import Locale
from tests.contract.http.test_telnyx_calls import AtTelnyx
from tests.support.actors import STRANGER, Person
from tests.support.http_world import OURS, HttpWorld
from tests.support.telnyx_flows import TelnyxFlows
from tests.support.twilio_calls import TwilioCalls, twilio_calls
from tests.support.two_carriers import two_carriers
from tests.unit.test_greetings import sound, upload

SAID = "You have reached Ada. Please leave me a message."
SECONDS = len(SAID) // 12
CALL, BEFORE = f"CA{1:032x}", tone(1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def at_twilio() -> AsyncIterator[TwilioCalls]:
    async with twilio_calls() as opened:
        yield opened


@pytest.fixture
async def at() -> AsyncIterator[AtTelnyx]:
    async with two_carriers() as both:
        at = AtTelnyx(both, await both.british("ada"))
        await at.use_cases.issue_voice_token(at.ada.id, at.ada.line_id)
        yield at


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


async def heard(world: InMemory, ada: Person) -> bytes | None:
    found = await world.use_cases.read_greeting(ada.id, ada.line_id)
    return None if found is None else await sound(world, found)


async def only_call(world: InMemory, ada: Person) -> Call:
    [call] = (await world.use_cases.list_calls(ada.id, None, None, None, 9)).items
    return call


# ------------------------------------------------------------------------------------------ Twilio


async def test_at_twilio_an_app_calls_its_line_and_what_is_said_is_the_greeting(
    at_twilio: TwilioCalls,
) -> None:
    world, ada = at_twilio.world, at_twilio.ada
    await at_twilio.app_calls(ada.number, Script(says=SAID, seconds=9))
    assert await heard(world, ada) == tone(SECONDS)
    await world.advance(10 * MINUTE)
    assert at_twilio.simulator.holdings()["recordings"] == []
    call = await only_call(world, ada)
    assert (call.direction, str(call.peer), call.outcome) == (
        CallDirection.OUTBOUND,
        ada.number,
        CallOutcome.ANSWERED,
    )
    assert (await world.use_cases.list_voicemails(ada.id, None, None, 9)).items == []


@pytest.mark.parametrize("knobs", [{"duplicate": 2}, {"recording_not_ready": 1}, {"lose_answer": 1}])
async def test_at_twilio_a_call_that_we_place_comes_to_the_same_whatever_goes_wrong(
    at_twilio: TwilioCalls, knobs: dict[str, int]
) -> None:
    world, ada = at_twilio.world, at_twilio.ada
    await upload(ada, BEFORE)
    at_twilio.simulator.faults.set({"placed_says": SAID})
    await world.use_cases.place_call(ada.id, ada.line_id, ada.number, "key")
    at_twilio.simulator.faults.set(knobs)
    await at_twilio.settle()
    for _ in range(8):
        await world.advance(5 * MINUTE)
    assert await heard(world, ada) == tone(SECONDS)
    held = at_twilio.simulator.holdings()
    assert held["recordings"] == []
    assert at_twilio.simulator._account.state.calls == {}, "nobody else was called, and no record is left"
    call = await only_call(world, ada)
    assert (call.outcome, call.is_over) == (CallOutcome.ANSWERED, True)


@pytest.mark.parametrize("placed", ["", "no_answer"])
async def test_at_twilio_who_says_nothing_or_is_not_there_leaves_the_one_before(
    at_twilio: TwilioCalls, placed: str
) -> None:
    world, ada = at_twilio.world, at_twilio.ada
    await upload(ada, BEFORE)
    at_twilio.simulator.faults.set({"placed_says": "", "placed": placed or "answered"})
    await world.use_cases.place_call(ada.id, ada.line_id, ada.number, "key")
    await at_twilio.settle()
    assert await heard(world, ada) == BEFORE
    assert at_twilio.simulator.holdings()["recordings"] == []


async def test_at_twilio_an_apps_call_on_which_nothing_was_said_is_over_in_the_end(
    at_twilio: TwilioCalls,
) -> None:
    world, ada = at_twilio.world, at_twilio.ada
    await at_twilio.app_calls(ada.number, Script(says=None))
    for _ in range(8):
        await world.advance(timedelta(hours=1))
    assert (await only_call(world, ada)).is_over
    assert await heard(world, ada) is None
    assert at_twilio.simulator._account.state.calls == {}


async def test_at_twilio_what_an_app_says_to_somebody_is_never_recorded(at_twilio: TwilioCalls) -> None:
    record = await at_twilio.app_calls(STRANGER, Script(says=SAID))
    assert record["status"] == "completed"
    assert at_twilio.simulator.holdings()["recordings"] == []


async def test_at_twilio_who_shows_the_lines_own_number_leaves_a_message(at_twilio: TwilioCalls) -> None:
    world, ada = at_twilio.world, at_twilio.ada
    await at_twilio.simulator.inbound_call(ada.number, ada.number, Script("no_answer", says=SAID))
    await at_twilio.settle()
    assert await heard(world, ada) is None
    [left] = (await world.use_cases.list_voicemails(ada.id, None, None, 9)).items
    assert str(left.caller) == ada.number


# ------------------------------------------------------------------------------------------ over HTTP


def form_of(sender: str, to: str = OURS, **more: str) -> dict[str, str]:
    return {
        "AccountSid": f"AC{1:032x}",
        "CallSid": CALL,
        "CallStatus": "ringing",
        "From": sender,
        "To": to,
        **more,
    }


async def asked(http: HttpWorld, path: str, form: dict[str, str]) -> Element:
    answer = await http.webhook(path, form)
    assert answer.status == 200
    return fromstring(answer.body)  # noqa: S314 - our own


async def test_an_app_is_told_to_record_with_nobody_else_on_the_call(http: HttpWorld) -> None:
    token = await http.person()
    line = await http.line(token, OURS)
    app = (await http.call("POST", f"/v1/lines/{line}/voice-tokens", token=token)).json["identity"]
    document = await asked(http, FROM_APP, form_of(f"client:{app}"))
    assert [each.tag for each in document] == ["Say", "Record", "Hangup"]
    said, record, _ = document
    assert said.text == Notice.SAY_YOUR_GREETING.words(Spoken.ENGLISH)
    assert (record.get("maxLength"), record.get("finishOnKey"), record.get("transcribe")) == ("60", "#", None)
    assert record.get("action", "").startswith(GREETING_ACTION)
    left = form_of(f"client:{app}", RecordingSid=f"RE{1:032x}", RecordingDuration="9", Digits="1")
    assert [each.tag for each in await asked(http, record.get("action", ""), left)] == ["Hangup"]
    ref = await http.world.recordings.speak(app, CarrierRef(CALL), tone(2))
    told = {
        "CallSid": CALL,
        "RecordingSid": ref,
        "RecordingSource": "RecordVerb",
        "RecordingStatus": "completed",
    }
    assert (
        await http.webhook(record.get("recordingStatusCallback", "").partition("#")[0], told)
    ).status == 204
    await http.world.settle()
    path = f"/v1/lines/{line}/greeting"
    assert (await http.call("GET", path, token=token)).json["type"] == "audio/wav"
    assert (await http.call("GET", f"{path}/audio", token=token)).body == tone(2)
    assert (await http.call("DELETE", path, token=token)).status == 204
    await http.world.advance(10 * MINUTE)
    assert http.world.recordings.recordings == {}


@pytest.mark.parametrize("path", [VOICE, RECORD_ACTION])
async def test_the_doors_for_callers_lead_to_no_greeting_whoever_they_say_they_are(
    http: HttpWorld, path: str
) -> None:
    token = await http.person()
    line = await http.line(token, OURS)
    app = (await http.call("POST", f"/v1/lines/{line}/voice-tokens", token=token)).json["identity"]
    for sender in (OURS, f"client:{app}", STRANGER):
        document = await asked(http, path, form_of(sender))
        assert not any("greeting" in str(record.attrib) for record in document.iter("Record"))
    assert (await asked(http, FROM_APP, form_of("client:line_forged")))[0].tag == "Reject"
    assert (await http.webhook(FROM_APP, form_of(OURS))).status == 400, "no app"
    assert (await http.webhook(GREETING_ACTION, {"CallSid": CALL})).status == 400
    assert (await http.webhook(RECORDING, {"CallSid": CALL})).status == 400


# ------------------------------------------------------------------------------------------ Telnyx


@pytest.mark.parametrize(
    "knobs", [{}, {"duplicate": 2}, {"duplicate": 3, "delay": 0.05}, {"recording_not_ready": 1}]
)
async def test_at_telnyx_the_app_rings_and_is_recorded_alone(at: AtTelnyx, knobs: dict[str, int]) -> None:
    world = at.both.world
    await upload(at.ada, BEFORE)
    at.both.telnyx.play_placed(TelnyxScript(says=SAID))
    await at.use_cases.place_call(at.ada.id, at.ada.line_id, at.ada.number, "key")
    at.both.telnyx.faults.set(knobs)
    await at.both.settle()
    for _ in range(4):
        await world.advance(5 * MINUTE)
        await at.both.settle()
    assert await heard(world, at.ada) == tone(SECONDS)
    [app] = at.both.telnyx.state.calls.values()
    assert (app["to"].startswith("sip:"), app["state"]) == (True, "hangup"), "nobody else was ever called"
    assert app["said"] == Notice.SAY_YOUR_GREETING.words(Spoken.ENGLISH)
    assert [command.rpartition(":")[2] for command in app["commands"]] == [
        "place",
        "speak",
        "record_start",
        "hangup",
    ]
    state = await at.both.world.use_cases.read_greeting(at.ada.id, at.ada.line_id)
    assert state is not None
    held = at.both.telnyx.holdings()
    assert (held["recordings"], held["transcriptions"], at.both.telnyx.state.contents) == ([], [], {})
    call = await at.call()
    assert (call.direction, str(call.peer), call.outcome) == (
        CallDirection.OUTBOUND, at.ada.number, CallOutcome.ANSWERED,
    )  # fmt: skip
    assert call.is_over
    assert await at.voicemails() == []


@pytest.mark.parametrize("script", [TelnyxScript(says=None), TelnyxScript("no_answer", says=SAID)], ids=str)
async def test_at_telnyx_who_says_nothing_or_is_not_there_leaves_the_one_before(
    at: AtTelnyx, script: TelnyxScript
) -> None:
    await upload(at.ada, BEFORE)
    at.both.telnyx.play_placed(script)
    await at.use_cases.place_call(at.ada.id, at.ada.line_id, at.ada.number, "key")
    await at.both.settle()
    assert await heard(at.both.world, at.ada) == BEFORE
    assert at.both.telnyx.state.recordings == {}
    assert (await at.call()).is_over


async def test_at_telnyx_the_person_is_spoken_to_in_their_language(at: AtTelnyx) -> None:
    await at.use_cases.change_profile(at.ada.id, None, Locale("he-IL"))
    await at.use_cases.place_call(at.ada.id, at.ada.line_id, at.ada.number, "key")
    await at.both.settle()
    [app] = at.both.telnyx.state.calls.values()
    assert app["said"] == Notice.SAY_YOUR_GREETING.words(Spoken.HEBREW)


async def test_at_telnyx_who_shows_the_lines_own_number_leaves_a_message(at: AtTelnyx) -> None:
    await at.called(TelnyxScript("no_answer", says=SAID), at.ada.number)
    assert await heard(at.both.world, at.ada) is None
    assert [str(each.caller) for each in await at.voicemails()] == [at.ada.number]


async def test_at_telnyx_a_leg_that_was_not_asked_to_speak_is_never_recorded(at: AtTelnyx) -> None:
    flows = TelnyxFlows(at.both.world, at.ada)
    for stage in set(CallStage) - {CallStage.PICKING_UP}:
        state = CallState(stage=stage, leg="caller-1", control="v3:caller-1")
        with pytest.raises(CarrierUnsupported):
            await flows.control.carry_out(state, CallAnswer((RecordGreeting(),)), "e-1")
    assert flows.api.commands == []
    at.both.telnyx.play_placed(TelnyxScript(says=SAID, seconds=5))
    await at.use_cases.place_call(at.ada.id, at.ada.line_id, STRANGER, "key")  # type: ignore[arg-type]  # a number, too
    await at.both.settle()
    assert "record_start" not in at.commands()
