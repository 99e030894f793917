"""The Twilio adapter before the simulator, and a receiver for its webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl
from uuid import UUID

import aiohttp
from aiohttp import web

from adapters.inbound.webhooks.twilio import TwilioSignature
from adapters.outbound.twilio.api import TwilioApi
from adapters.outbound.twilio.messages import TwilioMessages
from adapters.outbound.twilio.numbers import TwilioNumbers
from adapters.outbound.twilio.simulator import TwilioSimulator
from adapters.outbound.twilio.simulator.oddities import ODDITIES
from adapters.outbound.twilio.vocabulary import status_of
from domain.kernel import CarrierRef, LineId, MessageId
from domain.values import Peer, PhoneNumber
from pico_testkit.contracts.carrier import CarrierWorld, Picture
from tests.support.twilio_spec import Exchange, listen

ACCOUNT, TOKEN = f"AC{'0' * 31}1", "pico-test-auth-token-not-a-secret"


class Hook:
    """One webhook as it came in."""

    def __init__(self, request: web.Request, raw: str) -> None:
        self.url, self.path, self.headers = str(request.url), request.path, request.headers
        self.pairs = parse_qsl(raw, keep_blank_values=True, strict_parsing=True)
        self.form, self.query = dict(self.pairs), request.query

    @property
    def token(self) -> str:
        return self.headers["I-Twilio-Idempotency-Token"]


class TwilioWorld(CarrierWorld):
    """The real adapters and the simulator over real sockets; `exchanges` is all that went between them."""

    unreachable = Peer("+15005550001")
    oddities = tuple(ODDITIES)
    numbers: TwilioNumbers
    carrier: TwilioMessages
    session: aiohttp.ClientSession
    api_url: str
    public_url: str

    def __init__(self, *, state_file: Path | None = None, pace: float = 0.0) -> None:
        super().__init__()
        self.simulator = TwilioSimulator(
            account_sid=ACCOUNT, auth_token=TOKEN, now=lambda: self.now, state_file=state_file, pace=pace
        )
        self.exchanges: list[Exchange] = []
        self.hooks: list[Hook] = []
        self.answers: list[int] = []
        """Statuses the receiver answers next; 204 when there are none left."""
        self.signature = TwilioSignature([TOKEN])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[TwilioWorld]:
        async with AsyncExitStack() as stack:
            self.api_url = await stack.enter_async_context(self.simulator.running())
            receiver = web.Application()
            receiver.router.add_post("/{path:.*}", self._hook)
            runner = web.AppRunner(receiver, access_log=None, shutdown_timeout=1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.public_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self.session = await stack.enter_async_context(
                aiohttp.ClientSession(trace_configs=[listen(self.exchanges)])
            )
            self.connect()
            yield self

    def connect(self, **settings: object) -> None:
        """Make both adapters, perhaps with other settings; their pages are small, so that lists have several."""
        api = TwilioApi.over(
            self.session,
            **{
                "account_sid": ACCOUNT,
                "auth_token": TOKEN,
                "api_url": self.api_url,
                "public_url": self.public_url,
                "read_pause": 0.01,
                "page_size": 2,
                **settings,
            },  # type: ignore[arg-type]
        )
        self.numbers, self.carrier = TwilioNumbers(api), TwilioMessages(api)

    async def _hook(self, request: web.Request) -> web.Response:
        hook = Hook(request, await request.text())
        self.hooks.append(hook)
        if not self.signature.verify(hook.url, hook.pairs, hook.headers["X-Twilio-Signature"]):
            return web.Response(status=403)
        status = self.answers.pop(0) if self.answers else 204
        if status < 300:
            self._take_in(hook)
        return web.Response(status=status)

    def _take_in(self, hook: Hook) -> None:
        form = hook.form
        if hook.path == "/webhooks/twilio/sms":
            self.inbox.append((form["From"], form["To"], form["Body"]))
            self.proofs.append(LineId(UUID(hook.query["line"])))
        elif hook.path == "/webhooks/twilio/message-status":
            status = status_of(form["MessageStatus"])
            assert status is not None
            self.receipts.append(
                (MessageId(UUID(hook.query["message"])), CarrierRef(form["MessageSid"]), status)
            )

    def outage(self, *, on: bool) -> None:
        self.simulator.faults.set({"outage": on})

    def lose_next_answer(self) -> None:
        self.simulator.faults.set({"lose_answer": 1})

    def take(self, number: PhoneNumber) -> None:
        self.simulator.faults.set({"number_taken": 1})

    def lie(self) -> None:
        self.simulator.faults.set({"lie": True})

    def babble(self, oddity: str) -> None:
        self.simulator.faults.set({"odd": oddity})
        self.exchanges.clear()  # of what is no answer nobody needs to ask whether it is Twilio's

    def too_early(self) -> None:
        self.simulator.faults.set({"too_early": 1})

    async def receive(
        self, sender: Peer, to: PhoneNumber, body: str, media: Sequence[Picture] = ()
    ) -> CarrierRef:
        return CarrierRef(await self.simulator.inbound_sms(sender, to, body, media))

    async def settle(self) -> None:
        await self.simulator.settled()

    def paths(self, method: str = "POST") -> list[str]:
        """Name the requests of one method that were sent so far."""
        return [exchange.url.name for exchange in self.exchanges if exchange.method == method]
