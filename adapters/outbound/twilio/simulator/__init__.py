"""A Twilio of our own on loopback: it speaks the wire format, keeps state, calls back, and fails on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import ClientSession, DummyCookieJar, web

from adapters.outbound.twilio.simulator.account import Account
from adapters.outbound.twilio.simulator.api import Api
from adapters.outbound.twilio.simulator.call_player import Player, Script
from adapters.outbound.twilio.simulator.console import Console
from adapters.outbound.twilio.simulator.faults import Faults
from adapters.outbound.twilio.simulator.porting import Porting
from adapters.outbound.twilio.simulator.recordings import LeftMessage, Recordings
from adapters.outbound.twilio.simulator.state import Picture, State
from adapters.outbound.twilio.simulator.traffic import Traffic, inbound_form
from adapters.outbound.twilio.simulator.webhooks import Webhooks

__all__ = ["Announcement", "Faults", "LeftMessage", "Script", "TwilioSimulator", "UnknownNumber"]


class Announcement(NamedTuple):
    """A signed webhook that tells of a message, to be sent by whoever asked for it."""

    url: str
    form: dict[str, str]
    headers: dict[str, str]


class UnknownNumber(LookupError):
    """The simulated Twilio's customer does not own that number."""


class TwilioSimulator:
    """One Twilio account with numbers, messages and webhooks.

    With a `state_file` every change is on disk before it is answered, and what is deleted leaves the file too.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        now: Callable[[], datetime],
        state_file: Path | None = None,
        pace: float = 0.0,
    ) -> None:
        """Take the account's credentials, the clock its dates come from, and the seconds between two statuses."""
        self.faults = Faults()
        self._account = Account(account_sid, auth_token, State(state_file), self.faults, now)
        self.console = Console(self._account, {})
        self.porting = Porting(self._account)
        self._pace = pace
        self._traffic: Traffic | None = None

    @asynccontextmanager
    async def running(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Listen, and yield the address that stands for `https://api.twilio.com`. Port 0: any free one."""
        async with ClientSession(cookie_jar=DummyCookieJar()) as session:
            self._traffic = Traffic(
                self._account, Webhooks(session, self._account.token, self.faults), self._pace
            )
            runner = web.AppRunner(
                Api(self._account, self._traffic, self.console).application(),
                access_log=None,
                shutdown_timeout=1,
            )
            await runner.setup()
            try:
                site = web.TCPSite(runner, host, port)
                await site.start()
                yield site.name if port else f"http://{host}:{runner.addresses[0][1]}"
            finally:
                await runner.cleanup()
                await self._traffic.close()

    async def inbound_sms(self, from_: str, to: str, body: str, media: Sequence[Picture] = ()) -> str:
        """Let someone send an owned number a message; return its SID once the webhook was tried.

        Raises UnknownNumber.
        """
        if self._account.state.owned(to) is None:
            raise UnknownNumber
        message = self._account.receive(from_, to, body, media)
        await asyncio.wait({self._running.start(message)})
        return str(message.resource["sid"])

    def announce(self, from_: str, to: str, body: str) -> Announcement:
        """Take in a message to an owned number, and call nobody. Raises UnknownNumber."""
        number = self._account.state.owned(to)
        if number is None:
            raise UnknownNumber
        message = self._account.receive(from_, to, body)
        message.owed = False
        form = inbound_form(message)
        url, headers = self._running.webhooks.signed(number["sms_url"], form)
        return Announcement(url, form, headers)

    async def inbound_call(self, from_: str, to: str, script: Script) -> str:
        """Let somebody call an owned number; return the call's SID once it is over. Raises UnknownNumber."""
        if self._account.state.owned(to) is None:
            raise UnknownNumber
        player = Player(self._account, self._running.webhooks)
        return str((await player.incoming(from_, to, script))["sid"])

    async def app_call(self, client: str, to: str, application_sid: str, script: Script) -> str:
        """Let an app make a call by an application; return the call's SID once it is over."""
        player = Player(self._account, self._running.webhooks)
        url = str(self.console.applications[application_sid]["voice_url"])
        return str((await player.from_app(client, to, url, script))["sid"])

    async def leave_message(self, message: LeftMessage) -> str:
        """Let a caller leave a message; return the recording's SID once every webhook was tried."""
        return await Recordings(self._account, self._running.webhooks).leave(message)

    def take_back(self, number: str) -> None:
        """Take an owned number away, as Twilio does with one that breaks its rules. One that is not owned is let be."""
        owned = self._account.state.owned(number)
        if owned is not None:
            self._account.state.forget_number(owned["sid"])

    def set_portability(self, number: str, *, portable: bool = True, mobile: bool = False) -> None:
        """Say whether a number elsewhere can be ported, and whether that takes a PIN."""
        for known, yes in (
            (self._account.state.unportable, not portable),
            (self._account.state.mobile, mobile),
        ):
            known.add(number) if yes else known.discard(number)

    def move_webhooks(self, old: str, new: str) -> None:
        """Point every webhook that leads to `old` to `new`: their receiver has another address now."""
        self._account.state.move_webhooks(old, new)

    def resume(self) -> None:
        """Send what a killed process still owed. To be called once the webhooks' receiver listens."""
        self._running.resume()

    async def settled(self) -> None:
        """Wait until every message under way has arrived and every webhook was tried."""
        await self._running.settled()

    def holdings(self) -> dict[str, Any]:
        """Everything still held, as JSON: numbers, messages, opt-outs."""
        return self._account.state.holdings()

    @property
    def _running(self) -> Traffic:
        if self._traffic is None:
            raise RuntimeError("the simulator is not running")
        return self._traffic
