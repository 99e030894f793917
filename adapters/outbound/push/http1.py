"""Carries requests over HTTP/1.1: for the simulator, and for a proxy that speaks HTTP/2 to Apple."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout
from typing_extensions import override

from adapters.answers import whole
from adapters.outbound.push.apns import Answered, Http2

SECONDS = ClientTimeout(total=10)
LARGEST_ANSWER = 4096
"""Bytes: a refusal has a reason of one word."""


@dataclass(frozen=True, slots=True)
class Http1(Http2):
    """`Http2` by its interface, HTTP/1.1 on the wire."""

    session: ClientSession

    @override
    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
        try:
            sent = self.session.post(url, headers=headers, data=body, timeout=SECONDS, allow_redirects=False)
            async with sent as answer:
                return Answered(answer.status, await whole(answer, LARGEST_ANSWER))
        except ClientError:
            raise OSError from None
