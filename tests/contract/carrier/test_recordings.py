"""What callers left: one suite over the carrier in memory and over Twilio's simulator, and what Twilio's wire adds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count

import pytest

from adapters.outbound.memory.recordings import MemoryRecordings
from adapters.outbound.twilio.recordings import TwilioRecordings, caller_of
from adapters.outbound.twilio.simulator import LeftMessage
from adapters.outbound.twilio.simulator.oddities import ODDITIES
from adapters.tones import tone
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.recordings import RecordingAbsent, RecordingNotReady, RecordingUnfit
from application.ports.transcriber import Transcription
from domain.kernel import CarrierRef
from domain.values import Peer
from domain.voicemail import TranscriptAbsence
from pico_testkit.contracts.recordings import (
    CALLED,
    CALLER,
    CLIENT,
    WORDS,
    RecordingsContract,
    RecordingsWorld,
    whole,
)
from tests.support.twilio_world import TwilioWorld

AUDIO = tone(1)


class InMemory(RecordingsWorld):
    def __init__(self) -> None:
        self.recordings = self.transcriber = self.fake = MemoryRecordings()
        self.audio, self._calls = AUDIO, count(1)

    async def leave(self, caller: str | None, words: str | None = None) -> CarrierRef:
        peer = None if caller is None else Peer(caller)
        call = CarrierRef(f"call-{next(self._calls)}")
        ref = await self.fake.leave(peer, CALLED, AUDIO, seconds=13, call=call)
        if words is not None:
            await self.fake.transcribe(ref, words or None)
        return ref

    async def speak(self) -> CarrierRef:
        return await self.fake.speak(CLIENT, CarrierRef(f"call-{next(self._calls)}"), AUDIO, seconds=13)

    async def call_of(self, ref: CarrierRef) -> CarrierRef:
        held = self.fake.recordings[ref].call
        assert held is not None
        return held

    def outage(self, *, on: bool) -> None:
        self.fake.outage = on

    def not_ready(self) -> None:
        self.fake.not_ready = 1


class AtTwilio(RecordingsWorld):
    def __init__(self, twilio: TwilioWorld) -> None:
        self.twilio, self.simulator, self._calls = twilio, twilio.simulator, count(1)
        self.recordings = self.transcriber = self.real = TwilioRecordings(twilio.carrier.api)
        self.audio = AUDIO

    async def speak(self) -> CarrierRef:
        return await self.leave(f"client:{CLIENT}")

    async def leave(self, caller: str | None, words: str | None = None, seconds: int = 13) -> CarrierRef:
        told = f"{self.twilio.public_url}/told" if words is not None else ""
        left = LeftMessage(
            f"CA{next(self._calls):032x}", caller or "anonymous", CALLED, AUDIO, seconds, words,
            action=f"{self.twilio.public_url}/left", recorded=f"{self.twilio.public_url}/recorded", transcribed=told,
        )  # fmt: skip
        return CarrierRef(await self.simulator.leave_message(left))

    async def call_of(self, ref: CarrierRef) -> CarrierRef:
        [held] = [r for r in self.simulator.holdings()["recordings"] if r["sid"] == ref]
        return CarrierRef(held["call_sid"])

    def outage(self, *, on: bool) -> None:
        self.simulator.faults.outage = on

    def not_ready(self) -> None:
        self.simulator.faults.recording_not_ready = 1


class TestMemoryRecordings(RecordingsContract):
    @pytest.fixture
    def world(self) -> InMemory:
        return InMemory()


@pytest.fixture
async def twilio() -> AsyncIterator[AtTwilio]:
    async with TwilioWorld().running() as running:
        yield AtTwilio(running)


class TestTwilioRecordings(RecordingsContract):
    @pytest.fixture
    def world(self, twilio: AtTwilio) -> AtTwilio:
        return twilio


async def test_an_errors_page_and_an_address_of_somebody_elses_are_no_recording(twilio: AtTwilio) -> None:
    ref = await twilio.leave(CALLER)
    twilio.simulator.faults.media = "html"
    async with twilio.real.fetch(ref) as fetched:
        assert fetched.type.startswith("text/html")
        assert b"Bad Gateway" in await whole(fetched)
    twilio.simulator.faults.media = "redirect"
    with pytest.raises(RecordingUnfit):
        async with twilio.real.fetch(ref):
            pass


async def test_a_recording_of_nothing_will_never_be_one(twilio: AtTwilio) -> None:
    ref = await twilio.leave(CALLER, seconds=0)
    with pytest.raises(RecordingAbsent):
        async with twilio.real.fetch(ref):
            pass


async def test_what_twilio_still_works_on_is_not_ready(twilio: AtTwilio) -> None:
    ref = await twilio.leave(CALLER)
    state = twilio.simulator._account.state
    state.recordings[ref]["status"] = "processing"
    with pytest.raises(RecordingNotReady):
        async with twilio.real.fetch(ref):
            pass


async def test_a_recording_of_a_call_is_told_from_a_message(twilio: AtTwilio) -> None:
    ref = await twilio.leave(CALLER)
    twilio.simulator._account.state.recordings[ref]["source"] = "DialVerb"
    known = await twilio.real.look_up(ref)
    assert known is not None
    assert not known.is_message


@pytest.mark.parametrize(
    ("sender", "to"),
    [
        (f"client:{CLIENT}", CALLED),
        (f"client:{CLIENT}", ""),
        (f"client:{CLIENT}", None),
        (CALLED, f"client:{CLIENT}"),
    ],
)
async def test_an_apps_call_is_known_by_the_app_whichever_way_it_went(
    twilio: AtTwilio, sender: str, to: str | None
) -> None:
    ref = await twilio.speak()
    twilio.simulator._account.state.calls[await twilio.call_of(ref)] |= {"from": sender, "to": to}
    known = await twilio.real.look_up(ref)
    assert known is not None
    assert (known.of_app, known.client) == (True, CLIENT)
    assert known.caller == (Peer(CALLED) if sender == CALLED else None)


async def test_a_call_that_twilio_has_forgotten_leaves_the_length(twilio: AtTwilio) -> None:
    ref = await twilio.leave(CALLER)
    twilio.simulator._account.state.calls.clear()
    known = await twilio.real.look_up(ref)
    assert known is not None
    assert (known.called, known.caller, known.length.total_seconds()) == (None, None, 13)


async def test_a_transcript_in_vain_and_one_of_nothing(twilio: AtTwilio) -> None:
    failed = await twilio.real.transcript_of(await twilio.leave(CALLER, ""))
    assert failed == Transcription(failed.ref, None) if failed else False
    blank = await twilio.real.transcript_of(await twilio.leave(CALLER, "(blank)"))
    assert blank is not None
    assert (blank.text, blank.absence) == (None, TranscriptAbsence.NOTHING_SAID)


@pytest.mark.parametrize("odd", sorted(ODDITIES))
async def test_an_answer_that_makes_no_sense_tells_nothing_certain(twilio: AtTwilio, odd: str) -> None:
    ref = await twilio.leave(CALLER, WORDS)
    twilio.simulator.faults.odd = odd
    for ask in (twilio.real.look_up(ref), twilio.real.transcript_of(ref)):
        with pytest.raises(CarrierUnavailable):
            await ask


async def test_the_simulator_tells_of_a_message_as_twilio_does(twilio: AtTwilio) -> None:
    await twilio.leave(CALLER, WORDS)
    left, recorded, told = twilio.twilio.hooks
    assert [hook.path for hook in (left, recorded, told)] == ["/left", "/recorded", "/told"]
    assert "From" not in recorded.form, "a recording's callback does not say who called"
    assert left.form["RecordingDuration"] == "13"
    assert told.form["TranscriptionText"] == WORDS
    for hook in (left, recorded, told):
        signature = hook.headers["X-Twilio-Signature"]
        assert twilio.twilio.signature.verify(hook.url, hook.pairs, signature)


def test_whoever_is_not_told_has_no_name() -> None:
    assert [caller_of(text) for text in ("anonymous", " RESTRICTED ", "+266696687", "")] == [None] * 4
    assert caller_of("+442079460018") == "+442079460018"
