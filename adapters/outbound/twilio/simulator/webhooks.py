"""How the simulated Twilio calls back: signed, with the retries its URL's fragment asks for."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urldefrag
from uuid import uuid4

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, ConnectionTimeoutError
from yarl import URL

from adapters.outbound.twilio.signature import sign
from adapters.outbound.twilio.simulator.faults import Faults

BETWEEN_TRIES = 0.05
"""Seconds. Twilio takes longer; a test should not."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a fragment such as `#rc=3&rp=all&ct=2000` asks for. Times in milliseconds."""

    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})
    connect: int = 5000
    read: int = 15000
    total: int = 15000

    @classmethod
    def read_from(cls, fragment: str) -> "Overrides":
        """Read a fragment; what it leaves out has Twilio's defaults."""
        asked = dict(parse_qsl(fragment))
        policy = frozenset(asked.get("rp", "ct").split(","))
        return cls(
            retries=min(max(int(asked.get("rc", "1")), 0), 5),
            policy=frozenset({"4xx", "5xx", "ct", "rt"}) if "all" in policy else policy,
            connect=int(asked.get("ct", "5000")),
            read=int(asked.get("rt", "15000")),
            total=int(asked.get("tt", "15000")),
        )


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Posts forms to the customer."""

    session: ClientSession
    token: str
    faults: Faults

    async def post(self, target: str, form: Mapping[str, str]) -> None:
        """Send one event, and again as far as the URL allows; after that it is lost, as at Twilio."""
        if not target or self.faults.drop:
            return
        if self.faults.delay:
            await asyncio.sleep(self.faults.delay)
        url, fragment = urldefrag(target)
        headers = self._headers(url, form)
        asked = Overrides.read_from(fragment)
        for _ in range(1 + self.faults.duplicate):
            for again in range(1 + asked.retries):
                if again:
                    await asyncio.sleep(BETWEEN_TRIES * again)
                if await self._once(url, form, headers, asked) not in asked.policy:
                    break

    async def ask(self, target: str, form: Mapping[str, str]) -> bytes:
        """Ask what is to be done, and return the answer; nothing when there is none."""
        if not target or self.faults.drop:
            return b""
        url = urldefrag(target)[0]
        headers = self._headers(url, form)
        try:
            async with self.session.post(URL(url, encoded=True), data=dict(form), headers=headers) as answer:
                return await answer.read() if answer.status == 200 else b""  # noqa: PLR2004 - HTTP
        except (ClientError, TimeoutError):
            return b""

    def signed(self, target: str, form: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Return the address without what it asks of us, and the headers that an event is sent there with."""
        url = urldefrag(target)[0]
        return url, self._headers(url, form)

    def _headers(self, url: str, form: Mapping[str, str]) -> dict[str, str]:
        return {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": sign(self.token, url, form.items()),
            "I-Twilio-Idempotency-Token": str(uuid4()),
        }

    async def _once(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str], asked: Overrides
    ) -> str:
        """Try once, and name the outcome in the words of `rp`."""
        limit = ClientTimeout(
            total=asked.total / 1000, sock_connect=asked.connect / 1000, sock_read=asked.read / 1000
        )
        try:
            async with self.session.post(
                URL(url, encoded=True), data=dict(form), headers=headers, timeout=limit
            ) as answer:
                return f"{answer.status // 100}xx"
        except (ClientConnectorError, ConnectionTimeoutError):
            return "ct"
        except (ClientError, TimeoutError):
            return "rt"
