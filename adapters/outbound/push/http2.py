"""HTTP/2 to Apple, which takes nothing else: one connection for all pushes, with real time limits."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from typing_extensions import override

from adapters.outbound.push.apns import Answered, Http2

SECONDS = 10.0
LARGEST_ANSWER = 4096
"""Bytes: a refusal has a reason of one word."""

# They would name each address, which ends with the device's token.
for name in ("httpx", "httpcore", "hpack"):
    logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class HttpxHttp2(Http2):
    """`Http2` over httpx. Requests share a connection, which is made anew after Apple closed it."""

    client: httpx.AsyncClient

    @override
    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
        try:
            async with self.client.stream("POST", url, headers=headers, content=body) as answer:
                said = bytearray()
                async for piece in answer.aiter_raw():
                    said += piece
                    if len(said) > LARGEST_ANSWER:
                        raise OSError
                return Answered(answer.status_code, bytes(said))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError):
            raise OSError from None  # its errors hold the request, and so the device's token


@asynccontextmanager
async def over_http2() -> AsyncIterator[HttpxHttp2]:
    """Open what carries requests; nothing is connected before the first one, and no proxy of the machine's is asked."""
    async with httpx.AsyncClient(http1=False, http2=True, timeout=SECONDS, trust_env=False) as client:
        yield HttpxHttp2(client)
