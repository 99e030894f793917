"""How Telnyx is reached: one shared aiohttp session, real time limits, bounded answers, nothing kept of a request."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from adapters.answers import whole
from adapters.error_report import report_key
from adapters.outbound.telnyx.answers import Resource, code_of, list_of, parsed, resource_of
from adapters.outbound.telnyx.vocabulary import failure
from application.ports.carrier_errors import CarrierRefused, CarrierUnavailable

TELNYX = "https://api.telnyx.com"
LONGEST_WAIT = 5.0
"""Seconds that a read waits here for its next try; a longer wish is passed on with the error."""
LONGEST_WISH = 3600.0
"""Seconds of a wish to be left alone that are believed."""
LARGEST_ANSWER = 2 << 20
"""Bytes of an answer that are read, as they come over the wire: nothing is compressed. A longer one is no answer."""
LARGEST_PAGE = 50
LONGEST_LIST = 10_000
"""Items of a list that are read: one without end is cut. What is beyond is seen once this part has been dealt with."""

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TelnyxHttp:
    """Asks Telnyx's API v2. Reads are tried again, few times and soon, on 429, 5xx and lost connections; writes never.

    Times are seconds: the limits of one try, and the longest first pause between two.
    """

    session: ClientSession
    api_url: str
    api_key: str = field(repr=False)
    connect: float = 5.0
    total: float = 20.0
    tries: int = 3
    pause: float = 0.25
    page_size: int = LARGEST_PAGE

    async def get(self, path: str, query: Query = ()) -> Resource:
        """Return the `data` of an answer. Raises Gone, CarrierRefused, CarrierUnavailable. Repeating is harmless."""
        return resource_of((await self._read(path, query)).get("data"))

    async def items(
        self, path: str, query: Query = (), *, most: int = LONGEST_LIST, whole: bool = False
    ) -> AsyncIterator[Resource]:
        """Yield what a list holds, page by page, up to `most`; a `whole` list is not cut. Raises as `get`."""
        for page in range(1, 1 + most // self.page_size):
            paging = (("page[number]", str(page)), ("page[size]", str(self.page_size)))
            answer = await self._read(path, (*query, *paging))
            for item in list_of(answer.get("data")):
                yield item
            pages = resource_of(answer.get("meta")).get("total_pages")
            if type(pages) is not int:
                raise CarrierUnavailable
            if page >= pages:
                return
        if whole:
            raise CarrierUnavailable

    async def page(self, path: str, query: Query = ()) -> list[Resource]:
        """Return a list that comes as a whole. Raises as `get`."""
        return list_of((await self._read(path, query)).get("data"))

    async def post(self, path: str, body: Mapping[str, object], *, key: str | None = None) -> Resource:
        """Have something made, under an idempotency key where one is given. Raises as `get`.

        The same fields make the same bytes, by which Telnyx knows a repetition. CarrierUnavailable: perhaps done.
        """
        headers = {"Idempotency-Key": key} if key else {}
        sent = json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()
        return resource_of((await self._write("POST", path, sent, headers)).get("data"))

    async def post_for_text(self, path: str) -> str:
        """Have something made that is no JSON but a word. Raises as `get`. CarrierUnavailable: perhaps done."""
        return str((await self._once("POST", path, (), plain=True)).good()["text"])

    async def put(self, path: str, body: Mapping[str, object]) -> None:
        """Have something replaced. Raises as `delete`. Repeating is harmless."""
        await self._write("PUT", path, json.dumps(body, separators=(",", ":")).encode(), {})

    async def delete(self, path: str) -> None:
        """Have something deleted. Raises Gone, CarrierRefused; CarrierUnavailable: perhaps done."""
        await self._write("DELETE", path, b"", {})

    async def _read(self, path: str, query: Query) -> dict[str, Any]:
        answer = await self._once("GET", path, query)
        for again in range(1, self.tries):
            if not answer.passing:
                break
            jitter = random.uniform(0, self.pause * 2 ** (again - 1))  # noqa: S311 - not a secret
            await asyncio.sleep(max(answer.wait, jitter))
            answer = await self._once("GET", path, query)
        return answer.good()

    async def _write(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        return (await self._once(method, path, (), body, headers)).good()

    async def _once(
        self,
        method: str,
        path: str,
        query: Query,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        plain: bool = False,
    ) -> Answer:
        """Ask once. The client's own errors name URL and credentials, so they end here."""
        url = URL(f"{self.api_url}/v2{path}", encoded=True).extend_query(list(query))
        sent = {
            "Authorization": f"Bearer {self.api_key}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            **({"Content-Type": "application/json"} if body else {}),
            **(headers or {}),
        }
        limits = ClientTimeout(total=self.total, connect=self.connect)
        try:
            async with self.session.request(
                method, url, data=body or None, headers=sent, timeout=limits, allow_redirects=False,
                auto_decompress=False,
            ) as response:  # fmt: skip
                keyed = "Idempotency-Key" in sent
                body = await whole(response, LARGEST_ANSWER)
                if plain and 200 <= response.status < 300 and body.isascii():  # noqa: PLR2004 - HTTP
                    return Answer({"text": body.decode()})
                return Answer.read(response.status, body, wish_of(response.headers), keyed=keyed)
        except (ClientError, TimeoutError, OSError):
            return Answer(error=CarrierUnavailable())


def wish_of(headers: Mapping[str, str]) -> float:
    """Return for how many seconds we are asked to stay away (RFC 9110: Retry-After; Telnyx: x-ratelimit-reset).

    The second comes with every answer, and counts only for one that refuses for this reason.
    """
    for name in ("Retry-After", "x-ratelimit-reset"):
        value = headers.get(name, "")
        if value.isascii() and value.isdecimal():
            return min(float(value), LONGEST_WISH)
    return 0.0


class TelnyxKeyNotTaken(Exception):
    """Telnyx does not take our key: until somebody mends it nothing comes in or goes out there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: an object, or nothing where HTTP says so; else an error."""

    said: dict[str, Any] = field(default_factory=dict, repr=False)
    wait: float = 0.0
    error: CarrierRefused | CarrierUnavailable | None = None

    @classmethod
    def read(cls, status: int, body: bytes, wish: float, *, keyed: bool = False) -> Answer:
        """Judge an answer. A success that cannot be read is no certain answer."""
        said = parsed(body)
        if 200 <= status < 300 and said is not None:  # noqa: PLR2004 - HTTP
            return cls(said)
        if status == 401:  # noqa: PLR2004 - HTTP
            report_key(TelnyxKeyNotTaken())
        error = failure(status, code_of((said or {}).get("errors")), keyed=keyed)
        if not isinstance(error, CarrierUnavailable) or status not in {429, 503}:
            return cls(error=error)
        if wish:
            error.retry_after = timedelta(seconds=wish)
        return cls(wait=wish, error=error)

    def good(self) -> dict[str, Any]:
        """Return what was said. Raises the error."""
        if self.error is not None:
            raise self.error
        return self.said

    @property
    def passing(self) -> bool:
        """Whether the same question may be answered better in a moment."""
        return isinstance(self.error, CarrierUnavailable) and self.wait <= LONGEST_WAIT
