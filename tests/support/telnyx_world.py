"""The Telnyx adapter before the simulator, and a receiver for its webhooks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from adapters.inbound.webhooks.telnyx import TelnyxSignature
from adapters.inbound.webhooks.telnyx.events import Event, delivery_receipt, inbound_message
from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.messages import TelnyxMessages
from adapters.outbound.telnyx.numbers import TelnyxNumbers
from adapters.outbound.telnyx.simulator import TelnyxSimulator
from adapters.outbound.telnyx.simulator.oddities import ODDITIES
from adapters.outbound.telnyx.vocabulary import outcome_of
from domain.kernel import CarrierRef
from domain.values import Peer, PhoneNumber
from pico_testkit.contracts.carrier import CarrierWorld, Picture

API_KEY, SIGNING_KEY = "KEY-pico-test-not-a-secret", bytes(range(32))


class TelnyxWorld(CarrierWorld):
    """The real adapters and the simulator over real sockets; `asked` is every request, by method and path."""

    unreachable = Peer("+15005550001")
    oddities = tuple(ODDITIES)
    numbers: TelnyxNumbers
    carrier: TelnyxMessages
    session: aiohttp.ClientSession
    api_url: str
    public_url: str

    def __init__(self, *, state_file: Path | None = None, pace: float = 0.0) -> None:
        super().__init__()
        self.simulator = TelnyxSimulator(
            api_key=API_KEY, signing_key=SIGNING_KEY, now=lambda: self.now, state_file=state_file, pace=pace
        )
        self.asked: list[tuple[str, str]] = []
        self.hooks: list[tuple[web.BaseRequest, bytes]] = []
        self.answers: list[int] = []
        """Statuses the receiver answers next; 204 when there are none left."""
        self.signature = TelnyxSignature([self.simulator.public_key], lambda: self.now)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[TelnyxWorld]:
        async with AsyncExitStack() as stack:
            self.api_url = await stack.enter_async_context(self.simulator.running())
            receiver = web.Application()
            receiver.router.add_post("/{path:.*}", self._hook)
            runner = web.AppRunner(receiver, access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.public_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            listening = aiohttp.TraceConfig()
            listening.on_request_start.append(self._note)
            self.session = await stack.enter_async_context(aiohttp.ClientSession(trace_configs=[listening]))
            self.connect()
            yield self

    async def _note(self, _session: object, _context: object, asked: aiohttp.TraceRequestStartParams) -> None:
        self.asked.append((asked.method, asked.url.path))

    def connect(self, **settings: Any) -> None:
        """Make both adapters, perhaps with other settings; their pages are small, so that lists have several."""
        given: dict[str, Any] = {
            "api_key": API_KEY,
            "api_url": self.api_url,
            "public_url": self.public_url,
            "now": lambda: self.now,
            "media_hosts": frozenset({self.api_url}),
            "read_pause": 0.01,
            "page_size": 2,
        }
        api = TelnyxApi.over(self.session, **given | settings)
        self.numbers, self.carrier = TelnyxNumbers(api), TelnyxMessages(api)

    async def _hook(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.hooks.append((request, body))
        headers = request.headers
        if not self.signature.verify(headers["telnyx-timestamp"], body, headers["telnyx-signature-ed25519"]):
            return web.Response(status=403)
        status = self.answers.pop(0) if self.answers else 204
        if status < 300:
            self._take_in(Event.read(body))
        return web.Response(status=status)

    def _take_in(self, event: Event) -> None:
        webhooks = f"{self.public_url}/webhooks/telnyx"
        if event.type == "message.received":
            message = inbound_message(event, ref_of, webhooks)
            assert message is not None
            self.inbox.append((message.sender, message.to, message.body))
            self.proofs.append(message.line_id or message.received_at)
        else:
            receipt = delivery_receipt(event, ref_of, outcome_of, webhooks)
            assert receipt is not None
            self.receipts.append((receipt.message_id, receipt.ref, receipt.status))

    def events(self) -> list[Any]:
        """Every event that was called back so far."""
        return [json.loads(body) for _, body in self.hooks]

    def outage(self, *, on: bool) -> None:
        self.simulator.faults.set({"outage": on})

    def lose_next_answer(self) -> None:
        self.simulator.faults.set({"lose_answer": 1})

    def take(self, number: PhoneNumber) -> None:
        self.simulator.faults.set({"number_taken": 1})

    def lie(self) -> None:
        self.simulator.faults.set({"lie": True})

    def babble(self, oddity: str) -> None:
        super().babble(oddity)
        self.simulator.faults.set({"odd": oddity})

    def too_early(self) -> None:
        raise AssertionError("it deletes nothing")

    async def receive(
        self, sender: Peer, to: PhoneNumber, body: str, media: Sequence[Picture] = ()
    ) -> CarrierRef:
        return ref_of(await self.simulator.inbound_sms(sender, to, body, media))

    async def settle(self) -> None:
        await self.simulator.settled()
