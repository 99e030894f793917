"""Telnyx as a carrier of calls and of what callers leave: the suites over the simulator's wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web

from adapters.call_state import CallStage
from adapters.inbound.webhooks.telnyx.call_events import CallEvent
from adapters.inbound.webhooks.telnyx.events import Event
from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.telnyx.answers import instant_of, ref_of
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.apps import TelnyxApps, is_app
from adapters.outbound.telnyx.call_control import TelnyxCallControl
from adapters.outbound.telnyx.client_state import SealedStates
from adapters.outbound.telnyx.recordings import TelnyxRecordings, transcription_of
from adapters.outbound.telnyx.simulator import APPS_CONNECTION_ID, CONNECTION_ID, Script
from adapters.outbound.telnyx.simulator.oddities import ODDITIES
from adapters.outbound.telnyx.voice import TelnyxVoiceCarrier
from adapters.tones import tone
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable, CarrierUnsupported
from application.ports.recordings import RecordingUnfit
from domain.call_instructions import ClientIdentity
from domain.kernel import CarrierRef
from domain.voicemail import TranscriptAbsence
from pico_testkit.contracts.carrier import LINE, NUMBER, OTHER_LINE, OTHER_NUMBER
from pico_testkit.contracts.recordings import CALLED, CALLER, RecordingsContract, RecordingsWorld, whole
from pico_testkit.contracts.voice import CALL, CLIENT, VoiceCarrierContract, VoiceWorld
from tests.support.telnyx_world import TelnyxWorld

TELEPHONE = "+16505550177"


class CallingWorld(TelnyxWorld):
    """Telnyx's simulator before somebody who has every call go on to another telephone, without a question."""

    async def _hook(self, request: web.Request) -> web.Response:
        body = await request.read()
        event = Event.read(body)
        if not event.type.startswith("call."):
            return web.Response(status=204)
        call = CallEvent.read(event)
        if event.type == "call.initiated" and call.incoming:
            wanted = {
                "connection_id": CONNECTION_ID,
                "from": call.to,
                "to": TELEPHONE,
                "link_to": call.control,
            }
            await self.api.http.post("/calls", wanted)
        elif event.type == "call.answered" and call.sender != NUMBER and call.to != TELEPHONE:
            pass
        elif event.type == "call.answered" and not is_app(call.to):
            [caller] = [
                leg
                for leg in self.simulator.state.calls.values()
                if leg["direction"] == "incoming"
                and leg["call_session_id"] == event.payload["call_session_id"]
            ]
            await self.api.http.post(f"/calls/{caller['call_control_id']}/actions/answer", {})
            await self.api.http.post(
                f"/calls/{caller['call_control_id']}/actions/bridge", {"call_control_id": call.control}
            )
        return web.Response(status=204)

    @property
    def api(self) -> TelnyxApi:
        return self.carrier.api


class TelnyxVoiceWorld(VoiceWorld):
    """The adapter over the simulator."""

    def __init__(self, telnyx: CallingWorld) -> None:
        super().__init__()
        self.telnyx = telnyx
        self.now = telnyx.now
        apps = TelnyxApps(telnyx.api.http, APPS_CONNECTION_ID)
        control = TelnyxCallControl(telnyx.api, SealedStates(MemoryKeyring()), CONNECTION_ID, apps)
        self.voice, self.apps, self.control = TelnyxVoiceCarrier(telnyx.api, control), apps, control

    def outage(self, *, on: bool) -> None:
        self.telnyx.outage(on=on)

    def lose_next_answer(self) -> None:
        self.telnyx.lose_next_answer()

    def lie(self) -> None:
        raise AssertionError("it deletes nothing")

    def too_early(self) -> None:
        raise AssertionError("it deletes nothing")

    async def talk(self, caller: str, number: str, seconds: int) -> CarrierRef:
        leg = await self.telnyx.simulator.inbound_call(caller, number, Script(seconds=seconds))
        return ref_of(leg)

    async def ring(self, caller: str, number: str) -> CarrierRef:
        return ref_of(await self.telnyx.simulator.inbound_call(caller, number, Script("ringing")))


@asynccontextmanager
async def calling() -> AsyncIterator[CallingWorld]:
    async with CallingWorld().running() as telnyx:
        await telnyx.bought()
        await telnyx.bought(OTHER_NUMBER, OTHER_LINE)
        telnyx.simulator.tell_of_calls(f"{telnyx.public_url}/webhooks/telnyx")
        yield telnyx  # type: ignore[misc]


@pytest.fixture
async def world() -> AsyncIterator[TelnyxVoiceWorld]:
    async with calling() as telnyx:
        world = TelnyxVoiceWorld(telnyx)
        await world.voice.client_token(CLIENT, telnyx.now, timedelta(hours=1))  # an app that may be rung
        yield world


class TestTelnyxVoice(VoiceCarrierContract):
    @pytest.fixture
    def world(self, world: TelnyxVoiceWorld) -> TelnyxVoiceWorld:
        return world


async def test_a_token_is_good_for_as_long_as_its_own_credential(world: TelnyxVoiceWorld) -> None:
    held = world.telnyx.simulator.state.credentials
    before = set(held)
    world.telnyx.now += timedelta(seconds=1)
    made = await world.voice.client_token(CLIENT, world.telnyx.now, timedelta(hours=1))
    [credential] = [held[new] for new in set(held) - before]
    assert instant_of(credential["expires_at"]) == made.expires_at == world.telnyx.now + timedelta(hours=1)
    assert credential["name"] == CLIENT, "the name says nothing of anybody"
    ringing = await world.apps.addresses(CLIENT, world.telnyx.now)
    assert ringing[0] == f"sip:{credential['sip_username']}@sip.telnyx.com", "the latest comes first"
    assert len(ringing) == 2
    assert await world.apps.addresses(ClientIdentity("line_" + "c" * 77), world.telnyx.now) == []
    world.telnyx.now += timedelta(hours=1)
    assert await world.apps.addresses(CLIENT, world.telnyx.now) == []
    with pytest.raises(CarrierRefused):
        await world.voice.place_call(CALL, LINE, CLIENT, NUMBER)


async def test_credentials_that_have_ended_are_deleted_on_the_way(world: TelnyxVoiceWorld) -> None:
    for _ in range(3):
        await world.voice.client_token(CLIENT, world.telnyx.now, timedelta(hours=1))
    world.telnyx.now += timedelta(hours=2)
    await world.voice.client_token(CLIENT, world.telnyx.now, timedelta(hours=1))
    assert len(world.telnyx.simulator.state.credentials) == 1


async def test_where_apps_could_call_past_us_there_is_no_token(world: TelnyxVoiceWorld) -> None:
    world.telnyx.simulator.faults.set({"apps_call_out": True})
    with pytest.raises(CarrierUnsupported):
        await world.voice.client_token(CLIENT, world.telnyx.now, timedelta(hours=1))


async def test_a_call_that_is_placed_rings_apps_only_and_its_state_is_sealed(world: TelnyxVoiceWorld) -> None:
    ref = await world.voice.place_call(CALL, LINE, CLIENT, NUMBER)
    leg = world.telnyx.simulator.state.calls[ref.removeprefix("telnyx:")]
    assert is_app(leg["to"])
    assert leg["from"] == NUMBER
    state = await world.control.state_of(leg["client_state"])
    assert state is not None
    assert (state.stage, state.line_id, state.call_id) == (CallStage.PICKING_UP, LINE, CALL)


async def test_a_call_shows_no_more_ten_minutes_after_its_end(world: TelnyxVoiceWorld) -> None:
    ref = await world.talk(str(CALLER), NUMBER, 5)
    assert await world.voice.look_up_call(ref) is not None
    world.telnyx.now += timedelta(minutes=11)
    assert await world.voice.look_up_call(ref) is None
    assert [leg.duration for leg in await world.voice.legs(ref)] == [5], "what it cost can still be reckoned"


@pytest.mark.parametrize("oddity", ODDITIES)
async def test_an_odd_answer_is_no_answer(world: TelnyxVoiceWorld, oddity: str) -> None:
    ref = await world.talk(str(CALLER), NUMBER, 5)
    world.telnyx.simulator.faults.set({"odd": oddity})
    with pytest.raises(CarrierUnavailable):
        await world.voice.look_up_call(ref)


class AtTelnyx(RecordingsWorld):
    def __init__(self, telnyx: CallingWorld) -> None:
        self.telnyx, self.simulator = telnyx, telnyx.simulator
        self.recordings = self.transcriber = self.real = TelnyxRecordings(telnyx.api)
        self.audio = tone(13)

    async def leave(self, caller: str | None, words: str | None = None) -> CarrierRef:
        leg = await self.simulator.inbound_call(caller or "anonymous", CALLED, Script("ringing"))
        own = self.simulator.left(leg, 13)
        if words is not None:
            self.simulator.write_down(own, words)
        return ref_of(own)

    async def speak(self) -> CarrierRef:
        ref = await self.leave(None)
        app = {"from": CALLED, "to": "sip:gencredx@sip.telnyx.com"}
        self.simulator.state.recordings[ref.removeprefix("telnyx:")] |= app
        return ref

    async def call_of(self, ref: CarrierRef) -> CarrierRef:
        recording = self.simulator.state.recordings[ref.removeprefix("telnyx:")]
        return ref_of(recording["call_leg_id"])

    def outage(self, *, on: bool) -> None:
        self.simulator.faults.outage = on

    def not_ready(self) -> None:
        self.simulator.faults.recording_not_ready = 1


@pytest.fixture
async def left() -> AsyncIterator[AtTelnyx]:
    async with calling() as telnyx:
        telnyx.simulator.tell_of_calls("")
        yield AtTelnyx(telnyx)


class TestTelnyxRecordings(RecordingsContract):
    @pytest.fixture
    def world(self, left: AtTelnyx) -> AtTelnyx:
        return left


async def test_audio_is_fetched_from_telnyxs_own_hosts_and_nowhere_else(left: AtTelnyx) -> None:
    ref = await left.leave(str(CALLER))
    left.simulator.faults.media = "elsewhere"
    with pytest.raises(RecordingUnfit):
        async with left.real.fetch(ref):
            pass
    left.simulator.faults.media = "html"
    async with left.real.fetch(ref) as fetched:
        assert fetched.type.startswith("text/html")
        assert b"Bad Gateway" in await whole(fetched)
    left.simulator.faults.media = "redirect"
    with pytest.raises(RecordingUnfit):
        async with left.real.fetch(ref):
            pass


async def test_only_what_we_told_telnyx_to_record_is_a_message(left: AtTelnyx) -> None:
    leg = await left.simulator.inbound_call(str(CALLER), CALLED, Script("ringing"))
    for how in ("Trunking", "DialVerb", "OutboundAPI", "Conference", ""):
        other = await left.real.look_up(ref_of(left.simulator.left(leg, 5, how)))
        assert other is not None
        assert not other.is_message
    assert len(await left.real.of_call(ref_of(leg))) == 5


def test_how_a_transcript_stands_is_said_in_our_words() -> None:
    ref = CarrierRef("telnyx:tr-1")
    assert transcription_of(ref, "in-progress", "x") is None
    failed = transcription_of(ref, "failed", "x")
    assert failed is not None
    assert (failed.text, failed.absence) == (None, None)
    empty = transcription_of(ref, "completed", "")
    assert empty is not None
    assert empty.absence is TranscriptAbsence.NOTHING_SAID
