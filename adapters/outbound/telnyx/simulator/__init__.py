"""A Telnyx of our own on loopback: it speaks the wire format, keeps state, calls back, and fails on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import ClientSession, DummyCookieJar, web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.outbound.telnyx.signature import public_key
from adapters.outbound.telnyx.simulator.account import Account
from adapters.outbound.telnyx.simulator.api import Api
from adapters.outbound.telnyx.simulator.call_player import CONNECTION_ID, Script
from adapters.outbound.telnyx.simulator.console import Console
from adapters.outbound.telnyx.simulator.credentials import APPS_CONNECTION_ID
from adapters.outbound.telnyx.simulator.faults import Faults
from adapters.outbound.telnyx.simulator.recordings import Recordings, saved
from adapters.outbound.telnyx.simulator.state import Picture, State
from adapters.outbound.telnyx.simulator.traffic import Traffic
from adapters.outbound.telnyx.simulator.webhooks import Webhooks
from adapters.tones import tone

__all__ = ["APPS_CONNECTION_ID", "CONNECTION_ID", "Faults", "Script", "TelnyxSimulator", "UnknownNumber"]


class UnknownNumber(LookupError):
    """The simulated Telnyx's customer does not own that number."""


class TelnyxSimulator:
    """One Telnyx account with profiles, numbers, messages and webhooks.

    With a `state_file` every change is on disk before it is answered, and what is deleted leaves the file too.
    """

    def __init__(
        self,
        *,
        api_key: str,
        signing_key: bytes,
        now: Callable[[], datetime],
        state_file: Path | None = None,
        pace: float = 0.0,
        order_webhook: str | None = None,
        decides_after: float | None = None,
        voice_webhook: str | None = None,
    ) -> None:
        """Take the account's key, the 32 bytes it signs webhooks with, the clock its dates come from, and its pace.

        `order_webhook` is the address that is told of orders, `voice_webhook` that of calls; more is in `Traffic`.
        """
        self.faults = Faults()
        self._account = Account(State(state_file), self.faults, now)
        self._api_key, self._key = api_key, Ed25519PrivateKey.from_private_bytes(signing_key)
        self.console = Console(self.public_key)
        self._pace, self._order_webhook, self._decides_after = pace, order_webhook, decides_after
        self.voice_webhook = voice_webhook
        self._traffic: Traffic | None = None

    @property
    def state(self) -> State:
        """All that it remembers, for a test to look at and to alter."""
        return self._account.state

    @property
    def public_key(self) -> str:
        """What whoever verifies its webhooks is given."""
        return public_key(self._key)

    @asynccontextmanager
    async def running(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Listen, and yield the address that stands for `https://api.telnyx.com`. Port 0: any free one."""
        async with ClientSession(cookie_jar=DummyCookieJar()) as session:
            webhooks = Webhooks(session, self._key, self.faults, self._account.now)
            self._traffic = Traffic(
                self._account, webhooks, self._pace, self._order_webhook, self._decides_after,
                voice_webhook=self.voice_webhook,
            )  # fmt: skip
            runner = web.AppRunner(
                Api(self._account, self._traffic, self._api_key, self.console).application(),
                access_log=None,
                shutdown_timeout=1,
            )
            await runner.setup()
            try:
                site = web.TCPSite(runner, host, port)
                await site.start()
                url = site.name if port else f"http://{host}:{runner.addresses[0][1]}"
                self._account.move_media(url)
                yield url
            finally:
                await runner.cleanup()
                await self._traffic.close()

    async def inbound_sms(self, from_: str, to: str, body: str, media: Sequence[Picture] = ()) -> str:
        """Let someone send an owned number a message; return its id once the webhook was tried.

        Raises UnknownNumber.
        """
        if self._account.state.owned(to) is None:
            raise UnknownNumber
        message = self._account.receive(from_, to, body, media)
        await asyncio.wait({self._running.start(message)})
        return str(message["id"])

    async def inbound_call(self, from_: str, to: str, script: Script) -> str:
        """Let someone call an owned number, until the call is over; return the id of their leg.

        Raises UnknownNumber. Raises TimeoutError for a call that nobody ends.
        """
        if self._account.state.owned(to) is None:
            raise UnknownNumber
        leg = await self._running.player.incoming(from_, to, script)
        return str(leg["call_leg_id"])

    def left(self, leg_id: str, seconds: int, initiated_by: str = "StartCallRecordingAPI") -> str:
        """Have something be recorded of a leg, and tell nobody; return the recording's id."""
        kept = Recordings(self._account).keep(self.state.calls[leg_id], tone(seconds), seconds, initiated_by)
        return str(kept["id"])

    async def recorded(self, leg_id: str, *, initiated_by: str) -> str:
        """Have a leg recorded by somebody who was not told to; return the recording's id once it was told of."""
        leg = self.state.calls[leg_id]
        kept = Recordings(self._account).keep(leg, tone(3), 3, initiated_by)
        await self._running.player.tell("call.recording.saved", leg, saved(kept))
        return str(kept["id"])

    def write_down(self, recording_id: str, words: str) -> str:
        """Have a recording put into writing, and tell nobody; return the transcript's id."""
        made = Recordings(self._account).write_down(self.state.recordings[recording_id], words)
        return str(made["id"])

    def play_placed(self, script: Script) -> None:
        """Say what becomes of calls that the customer begins from now on."""
        self._running.player.placed = script

    def tell_of_calls(self, target: str) -> None:
        """Have events about calls be told to another address."""
        self.voice_webhook = self._running.player.target = target

    def port_out(self, number: str, status: str = "ported") -> None:
        """Have another carrier ask for a number of ours, and take it over where that is the status."""
        owned = self.state.owned(number)
        asked = {"id": str(uuid4()), "record_type": "portout", "phone_numbers": [number], "status": status}
        self.state.portouts.append(asked)
        if status == "ported" and owned is not None:
            self.state.forget_number(owned["id"])
        self.state.save()

    def move_webhooks(self, old: str, new: str) -> None:
        """Point every webhook that leads to `old` to `new`: their receiver has another address now."""
        self._account.state.move_webhooks(old, new)

    def resume(self) -> None:
        """Send what a killed process still owed. To be called once the webhooks' receiver listens."""
        self._running.resume()

    async def settled(self) -> None:
        """Wait until every order is decided, every message has arrived and every webhook was tried."""
        await self._running.settled()

    def holdings(self) -> dict[str, Any]:
        """Everything still held, as JSON: numbers, orders, messages, opt-outs."""
        self._account.tidy()
        return self._account.state.holdings()

    @property
    def _running(self) -> Traffic:
        if self._traffic is None:
            raise RuntimeError("the simulator is not running")
        return self._traffic
