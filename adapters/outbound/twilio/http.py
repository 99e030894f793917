"""How the SDK reaches Twilio: one shared aiohttp session, real time limits, and nothing kept of any request."""

import asyncio
import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, FormData, encode_basic_auth
from twilio.http.response import Response
from yarl import URL

from adapters.answers import whole
from adapters.error_report import report_key
from adapters.outbound.twilio.answers import code_of, parsed
from adapters.outbound.twilio.vocabulary import failure
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable

TWILIO = "https://api.twilio.com"
ANY_HOST = re.compile(r"https://[a-z-]+\.twilio\.com(?=/)")
"""Twilio has several hosts; what stands for it has one."""
JSON_TYPE = "application/json"
LONGEST_WAIT = 5.0
"""Seconds a read may be held back by `Retry-After`; a longer wish is passed on as CarrierUnavailable."""
LARGEST_ANSWER = 2 << 20
"""Bytes of an answer that are read, as they come over the wire: nothing is compressed. A longer one is no answer."""


class HttpClient:
    """What the SDK asks of an asynchronous `http_client`.

    The SDK's own ignores its time limit and keeps the last request, bodies and numbers included. This one also
    turns every failure into the port's errors before the SDK can build its own, which quote URL and message.
    Reads (GET) are tried again, few times and soon, on 429, 5xx and lost connections; writes never.
    """

    is_async = True

    def __init__(
        self,
        session: ClientSession,
        api_url: str = TWILIO,
        *,
        connect: float = 5.0,
        total: float = 20.0,
        tries: int = 3,
        pause: float = 0.25,
    ) -> None:
        """Take the limits of one try in seconds, how often a read is tried, and the longest first pause between."""
        self._session, self._api_url = session, api_url.rstrip("/")
        self._timeout = ClientTimeout(total=total, connect=connect)
        self._tries, self._pause = tries, pause

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, str | int] | None = None,
        data: Mapping[str, str | list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the SDK's signature
        allow_redirects: bool = False,  # noqa: FBT001, FBT002 - the SDK's signature
    ) -> Response:
        """Return a good answer; raise CarrierRefused or CarrierUnavailable for anything else."""
        url = self._address(uri).extend_query(params)
        headers = {
            **(headers or {}),
            "Accept-Encoding": "identity",
            **({"Authorization": encode_basic_auth(*auth)} if auth else {}),
        }
        sent = json.dumps(data) if headers.get("Content-Type") == JSON_TYPE and data else fields_of(data)
        answer = await self._once(method, url, sent, headers)
        for again in range(1, self._tries if method == "GET" else 1):
            if not answer.passing:
                break
            jitter = random.uniform(0, self._pause * 2 ** (again - 1))  # noqa: S311 - not a secret
            await asyncio.sleep(max(answer.wait, jitter))
            answer = await self._once(method, url, sent, headers)
        if answer.error is not None:
            raise answer.error
        return Response(answer.status, answer.text)

    async def upload(self, uri: str, form: FormData, auth: tuple[str, str]) -> dict[str, Any]:
        """Send a file, once, and return what is answered. Raises CarrierRefused, CarrierUnavailable."""
        headers = {"Accept-Encoding": "identity", "Authorization": encode_basic_auth(*auth)}
        answer = await self._once("POST", self._address(uri), form, headers)
        if answer.error is not None:
            raise answer.error
        return parsed(answer.text.encode()) or {}

    def _address(self, uri: str) -> URL:
        """Return where to ask: at Twilio's hosts, or at the one that stands for all of them."""
        return URL(uri if self._api_url == TWILIO else ANY_HOST.sub(self._api_url, uri), encoded=True)

    async def _once(
        self,
        method: str,
        url: URL,
        data: FormData | list[tuple[str, str]] | str | None,
        headers: Mapping[str, str],
    ) -> "Answer":
        """Ask once. The client's own errors name URL and credentials, so they end here."""
        try:
            async with self._session.request(
                method, url, data=data, headers=headers, timeout=self._timeout, allow_redirects=False,
                auto_decompress=False,
            ) as response:  # fmt: skip
                body = await whole(response, LARGEST_ANSWER)
                return Answer.read(response.status, body, response.headers.get("Retry-After", ""))
        except (ClientError, TimeoutError, OSError):
            return Answer(error=CarrierUnavailable())


def fields_of(data: Mapping[str, str | list[str]] | None) -> list[tuple[str, str]] | None:
    """Return a form's fields; a list is the same field so many times."""
    fields = [
        (name, one)
        for name, value in (data or {}).items()
        for one in (value if isinstance(value, list) else [value])
    ]
    return fields or None


class TwilioKeyNotTaken(Exception):
    """Twilio does not take our key: until somebody mends it nothing comes in or goes out there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a body of JSON, or nothing where HTTP says so; else an error."""

    status: int = 0
    text: str = ""
    wait: float = 0.0
    error: CarrierRefused | CarrierUnavailable | None = None

    @classmethod
    def read(cls, status: int, body: bytes, retry_after: str) -> "Answer":
        """Judge an answer. A success that cannot be read is no certain answer."""
        said = parsed(body)
        wait = float(retry_after) if retry_after.isdecimal() else 0.0
        if 200 <= status < 300 and said is not None:  # noqa: PLR2004 - HTTP
            return cls(status, body.decode(), wait)
        if status == 401:  # noqa: PLR2004 - HTTP
            report_key(TwilioKeyNotTaken())
        return cls(status, wait=wait, error=failure(status, code_of((said or {}).get("code"))))

    @property
    def passing(self) -> bool:
        """Whether the same question may be answered better in a moment."""
        return isinstance(self.error, CarrierUnavailable) and self.wait <= LONGEST_WAIT
