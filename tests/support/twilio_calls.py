"""A world in memory whose calls Twilio carries: the real adapters before the simulator, which asks the real edge."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession
from aiohttp.web import BaseRequest, StreamResponse

from adapters.inbound.http.app import App, build
from adapters.inbound.http.server import serving
from adapters.inbound.webhooks.twilio import TwilioSignature, TwilioWebhooks
from adapters.outbound.twilio.api import TwilioApi
from adapters.outbound.twilio.recordings import TwilioRecordings, caller_of, transcription_of
from adapters.outbound.twilio.simulator import Script, TwilioSimulator
from adapters.outbound.twilio.twiml import twiml
from adapters.outbound.twilio.vocabulary import outcome_of
from adapters.outbound.twilio.voice import TwilioVoiceCarrier, VoiceAccess
from bootstrap.worlds import InMemory
from bootstrap.worlds.people import Person
from tests.support.actors import with_line
from tests.support.twilio_world import ACCOUNT, TOKEN

ACCESS = VoiceAccess(key_sid=f"SK{'0' * 31}1", key_secret="s3cret" * 6, application_sid=f"AP{'0' * 31}1")


async def ready() -> None: ...


@dataclass(slots=True)
class TwilioCalls:
    """Somebody with a line, and the simulated Twilio that carries its calls."""

    world: InMemory
    simulator: TwilioSimulator
    ada: Person

    async def app_calls(self, to: str, script: Script) -> dict[str, Any]:
        """Let the line's app call somebody, and what follows happen; return Twilio's record of the call."""
        client = await self.world.call_clients.identity(self.ada.id, self.ada.line_id)
        sid = await self.simulator.app_call(client, to, ACCESS.application_sid, script)
        await self.settle()
        record: dict[str, Any] = self.simulator._account.state.calls[sid]
        return record

    async def settle(self) -> None:
        await self.world.settle()
        await self.simulator.settled()
        await self.world.settle()


@asynccontextmanager
async def twilio_calls() -> AsyncIterator[TwilioCalls]:
    """Open such a world."""
    world = InMemory()
    simulator = TwilioSimulator(account_sid=ACCOUNT, auth_token=TOKEN, now=world.clock.now)
    async with AsyncExitStack() as stack:
        api_url = await stack.enter_async_context(simulator.running())
        session = await stack.enter_async_context(ClientSession())
        edge: list[App] = []

        async def answer(request: BaseRequest) -> StreamResponse:
            return await edge[0](request)

        public_url = f"http://127.0.0.1:{await stack.enter_async_context(serving(answer, '127.0.0.1', 0))}"
        api = TwilioApi.over(
            session, account_sid=ACCOUNT, auth_token=TOKEN, api_url=api_url, public_url=public_url, read_pause=0.01
        )  # fmt: skip
        world.voice = TwilioVoiceCarrier(api, ACCESS)  # type: ignore[assignment]  # typed for the fake it starts with
        world.recordings = world.transcriber = TwilioRecordings(api)  # type: ignore[assignment]  # as above
        world.wire()
        webhooks = TwilioWebhooks(
            world.use_cases, TwilioSignature([TOKEN]), outcome_of, twiml, caller_of, transcription_of, public_url
        )  # fmt: skip
        edge.append(build(world.use_cases, ready=ready, webhooks=[webhooks]))
        simulator.console.add_application(
            ACCESS.application_sid, f"{public_url}/webhooks/twilio/voice/client"
        )
        ada = await with_line(world)
        voice = f"{public_url}/webhooks/twilio/voice"
        simulator._account.buy(
            {
                "PhoneNumber": ada.number,
                "VoiceUrl": f"{voice}?line={ada.line_id}",
                "StatusCallback": f"{voice}/status",
            }
        )
        yield TwilioCalls(world, simulator, ada)
