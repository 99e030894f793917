"""A world in memory with two carriers: the fake one, and Telnyx's adapter before its simulator for some countries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import ClientSession
from aiohttp.web import BaseRequest, StreamResponse

from adapters.inbound.http.app import App
from adapters.inbound.http.context import EdgeContext
from adapters.inbound.http.server import serving
from adapters.inbound.webhooks.telnyx import TelnyxSignature, TelnyxWebhooks
from adapters.outbound.memory.carrier import MemoryCarrier
from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.apps import TelnyxApps
from adapters.outbound.telnyx.call_control import TelnyxCallControl
from adapters.outbound.telnyx.client_state import SealedStates
from adapters.outbound.telnyx.messages import TelnyxMessages
from adapters.outbound.telnyx.numbers import TelnyxNumbers
from adapters.outbound.telnyx.recordings import TelnyxRecordings
from adapters.outbound.telnyx.simulator import APPS_CONNECTION_ID, CONNECTION_ID, TelnyxSimulator
from adapters.outbound.telnyx.vocabulary import outcome_of
from adapters.outbound.telnyx.voice import TelnyxVoiceCarrier
from bootstrap.carriers import Carriers
from bootstrap.container import NOTHING, Replaced
from bootstrap.telnyx_calls import calls_at_telnyx
from bootstrap.worlds import InMemory
from bootstrap.worlds.people import Person
from domain.lines import LineState
from domain.values import Country, PhoneNumber
from tests.support.telnyx_world import API_KEY, SIGNING_KEY

GB = Country("GB")
BRITISH, OTHER_BRITISH = PhoneNumber("+447700900123"), PhoneNumber("+447700900456")


async def ready() -> None: ...


@dataclass(slots=True)
class TwoCarriers:
    """The world, its fake carrier, and the simulated Telnyx."""

    world: InMemory
    first: MemoryCarrier
    telnyx: TelnyxSimulator
    carriers: Carriers
    public_url: str
    """Where the edge listens."""

    async def british(self, name: str, number: PhoneNumber = BRITISH) -> Person:
        """Have somebody sign up and lease a number of a country whose lines are with Telnyx."""
        person = await (await self.world.signed_up(name)).with_line(number)
        assert await self.world.directory.line(number) is not None
        await self.settle()
        await self.world.advance(timedelta(minutes=1))
        person.line = await self.world.use_cases.read_line(person.id, person.line_id)
        return person

    async def settle(self) -> None:
        """Let what is due happen here, then at the carrier, then what follows from that here."""
        await self.world.settle()
        await self.telnyx.settled()
        await self.world.settle()

    async def receipt(self, person: Person) -> bool:
        """Tell whether the erasure of an account is complete."""
        return await self.world.ledger.receipt(await self.world.fingerprint(person.id)) is not None

    async def state(self, person: Person) -> LineState:
        return (await self.world.use_cases.read_line(person.id, person.line_id)).state


@asynccontextmanager
async def two_carriers(
    *,
    replaced: Replaced = NOTHING,
    countries: frozenset[Country] = frozenset({GB}),
    numbers: type[TelnyxNumbers] = TelnyxNumbers,
    control: type[TelnyxCallControl] = TelnyxCallControl,
    world: InMemory | None = None,
    also_signed_by: Sequence[str] = (),
) -> AsyncIterator[TwoCarriers]:
    """Open such a world, with use cases in the place of others; events may be signed by other keys as well."""
    world = world or InMemory()
    first, now = world.carrier, world.clock.now
    simulator = TelnyxSimulator(api_key=API_KEY, signing_key=SIGNING_KEY, now=now)
    async with AsyncExitStack() as stack:
        api_url = await stack.enter_async_context(simulator.running())
        session = await stack.enter_async_context(ClientSession())
        edge: list[App] = []

        async def answer(request: BaseRequest) -> StreamResponse:
            return await edge[0](request)

        port = await stack.enter_async_context(serving(answer, "127.0.0.1", 0))
        public_url = f"http://127.0.0.1:{port}"
        api = TelnyxApi.over(
            session,
            api_key=API_KEY,
            public_url=public_url,
            now=now,
            api_url=api_url,
            media_hosts=frozenset({api_url}),
            read_pause=0.01,
        )
        left, apps = TelnyxRecordings(api), TelnyxApps(api.http, APPS_CONNECTION_ID)
        commands = control(api, SealedStates(world.keyring), CONNECTION_ID, apps)
        carriers = Carriers(
            {"twilio": first, "telnyx": TelnyxMessages(api)},
            {"twilio": first, "telnyx": numbers(api, connection_id=CONNECTION_ID)},
            dict.fromkeys(countries, "telnyx"),
            voices={"twilio": world.voice, "telnyx": TelnyxVoiceCarrier(api, commands)},
            recordings={"twilio": world.recordings, "telnyx": left},
            transcribers={"twilio": world.recordings, "telnyx": left},
        )
        world.carrier = carriers.carrier()  # type: ignore[assignment]  # typed for the fake it starts with
        world.voice = carriers.voice()  # type: ignore[assignment]  # as above
        world.recordings = carriers.every_recording()  # type: ignore[assignment]  # as above
        world.transcriber = carriers.transcriber()
        world.numbers = carriers.provider(world.plan)
        world.wire(carriers.replaced(replaced))
        first.on_message = world.use_cases.receive_message
        first.on_receipt = world.use_cases.apply_delivery_receipt
        signature = TelnyxSignature([simulator.public_key, *also_signed_by], now)
        calls = calls_at_telnyx(world.use_cases, api, commands)
        webhooks = TelnyxWebhooks(world.use_cases, signature, outcome_of, ref_of, public_url, calls)
        simulator.tell_of_calls(f"{public_url}/webhooks/telnyx")
        edge.append(App(EdgeContext(world.use_cases, ready, bytes), (), [webhooks]))
        yield TwoCarriers(world, first, simulator, carriers, public_url)
