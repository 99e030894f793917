"""Telnyx as a carrier of calls and of what callers leave: the suites over the simulator's wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web

from adapters.inbound.webhooks.telnyx.call_events import CallEvent
from adapters.inbound.webhooks.telnyx.events import Event
from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.recordings import TelnyxRecordings, transcription_of
from adapters.outbound.telnyx.simulator import CONNECTION_ID, Script
from adapters.outbound.telnyx.simulator.oddities import ODDITIES
from adapters.outbound.telnyx.voice import TelnyxVoiceCarrier
from adapters.tones import tone
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.recordings import RecordingUnfit
from domain.kernel import CarrierRef
from domain.voicemail import TranscriptAbsence
from pico_testkit.contracts.carrier import NUMBER, OTHER_LINE, OTHER_NUMBER
from pico_testkit.contracts.recordings import CALLED, CALLER, RecordingsContract, RecordingsWorld, whole
from pico_testkit.contracts.voice import VoiceCarrierContract, VoiceWorld
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
        elif event.type == "call.answered":
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
        self.voice = TelnyxVoiceCarrier(telnyx.api)

    def outage(self, *, on: bool) -> None:
        self.telnyx.outage(on=on)

    def lose_next_answer(self) -> None:
        raise AssertionError("it places no call")

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
        yield TelnyxVoiceWorld(telnyx)


class TestTelnyxVoice(VoiceCarrierContract):
    @pytest.fixture
    def world(self, world: TelnyxVoiceWorld) -> TelnyxVoiceWorld:
        return world


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
