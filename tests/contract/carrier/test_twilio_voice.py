"""Twilio as a carrier of calls: the contract over the simulator's wire, and what only this adapter promises."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from twilio.jwt.access_token import AccessToken

from adapters.outbound.twilio.simulator import Script
from adapters.outbound.twilio.twiml import twiml
from adapters.outbound.twilio.voice import TwilioVoiceCarrier, VoiceAccess
from domain.call_instructions import CallAnswer, HangUp, RingApp
from domain.kernel import CarrierRef
from pico_testkit.contracts.carrier import LINE, NUMBER, OTHER_LINE, OTHER_NUMBER
from pico_testkit.contracts.voice import CALL, CLIENT, VoiceCarrierContract, VoiceWorld
from tests.support.provider_files import is_there
from tests.support.twilio_spec import DOCUMENT, twilio_specification
from tests.support.twilio_world import Hook, TwilioWorld

ACCESS = VoiceAccess(key_sid=f"SK{'0' * 31}1", key_secret="s3cret" * 6, application_sid=f"AP{'0' * 31}1")


class RingingWorld(TwilioWorld):
    """Twilio's simulator before somebody who has every call ring an app."""

    async def _hook(self, request: web.Request) -> web.Response:
        hook = Hook(request, await request.text())
        self.hooks.append(hook)
        assert self.signature.verify(hook.url, hook.pairs, hook.headers["X-Twilio-Signature"])
        if hook.path.endswith("/status"):
            return web.Response(status=204)
        told = HangUp() if hook.path.endswith(("/dial-action", "/connect")) else RingApp(CLIENT)
        return web.Response(body=twiml(CallAnswer((told,), LINE)), content_type="text/xml")


class TwilioVoiceWorld(VoiceWorld):
    """The adapter over the simulator."""

    def __init__(self, twilio: RingingWorld) -> None:
        super().__init__()
        self.twilio = twilio
        self.now = twilio.now
        self.voice = TwilioVoiceCarrier(twilio.carrier.api, ACCESS)

    def outage(self, *, on: bool) -> None:
        self.twilio.outage(on=on)

    def lose_next_answer(self) -> None:
        self.twilio.lose_next_answer()

    def lie(self) -> None:
        self.twilio.lie()

    def too_early(self) -> None:
        self.twilio.too_early()

    async def talk(self, caller: str, number: str, seconds: int) -> CarrierRef:
        return CarrierRef(await self.twilio.simulator.inbound_call(caller, number, Script(seconds=seconds)))

    async def ring(self, caller: str, number: str) -> CarrierRef:
        return CarrierRef(await self.twilio.simulator.inbound_call(caller, number, Script("ringing")))


@pytest.fixture
async def world() -> AsyncIterator[TwilioVoiceWorld]:
    """Every exchange is checked by Twilio's document where that is at hand."""
    async with RingingWorld().running() as twilio:
        await twilio.bought()
        await twilio.bought(OTHER_NUMBER, OTHER_LINE)
        yield TwilioVoiceWorld(twilio)  # type: ignore[arg-type]
    if is_there(DOCUMENT):
        document = twilio_specification()
        assert [said for exchange in twilio.exchanges for said in document.complaints(exchange)] == []


class TestTwilioVoice(VoiceCarrierContract):
    @pytest.fixture
    def world(self, world: TwilioVoiceWorld) -> TwilioVoiceWorld:
        return world


async def test_a_number_is_bought_with_its_voice_webhooks(world: TwilioVoiceWorld) -> None:
    number = world.twilio.simulator.holdings()["numbers"][0]
    base = f"{world.twilio.public_url}/webhooks/twilio/voice"
    assert number["voice_url"] == f"{base}?line={LINE}#rc=3&rp=all"
    assert number["status_callback"] == f"{base}/status?line={LINE}#rc=3&rp=all"


async def test_a_token_is_what_twilios_own_library_makes_of_it(world: TwilioVoiceWorld) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    made = await world.voice.client_token(CLIENT, now, timedelta(hours=1))
    token = AccessToken.from_jwt(made.token, key=ACCESS.key_secret)
    assert token.valid_until == int((now + timedelta(hours=1)).timestamp())
    head, said = (json.loads(urlsafe_b64decode(part + "==")) for part in made.token.split(".")[:2])
    assert head == {"typ": "JWT", "alg": "HS256", "cty": "twilio-fpa;v=1"}
    assert said["grants"] == {
        "identity": CLIENT,
        "voice": {"incoming": {"allow": True}, "outgoing": {"application_sid": ACCESS.application_sid}},
    }
    assert said.keys() == {"jti", "iss", "sub", "nbf", "exp", "grants"}


async def test_a_call_that_is_placed_asks_us_and_tells_us(world: TwilioVoiceWorld) -> None:
    ref = await world.voice.place_call(CALL, LINE, CLIENT, NUMBER)
    await world.twilio.simulator.settled()
    asked = {
        (hook.path.rpartition("/")[2], hook.form["CallSid"], hook.query["line"])
        for hook in world.twilio.hooks
    }
    assert asked == {("connect", ref, str(LINE)), ("status", ref, str(LINE))}
