"""An answer that goes on: server-sent events (WHATWG HTML, 9.2), to whoever reads them, and to nobody else.

What a client leaves unread is not held for it: it is cut off, and finds it where it left off when it comes back.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from adapters.error_report import report
from adapters.inbound.http.json_format import encode
from adapters.inbound.http_io import COMMON_HEADERS

EVENT_STREAM = "text/event-stream"
HEADERS = CIMultiDict({
    **COMMON_HEADERS,
    "Content-Type": EVENT_STREAM,
    "Cache-Control": "no-store, no-transform",  # whoever compresses it on the way holds it back
    "X-Accel-Buffering": "no",  # so does nginx, unless it is told
})  # fmt: skip

MOST_UNREAD = 16 * 1024
"""Bytes that wait here for a client to take them."""
STALL_SECONDS = 10.0
"""How long a client with more than that has for taking it."""
LOOK_SECONDS = 0.05
SEND_BUFFER = 32 * 1024
"""Bytes that the kernel holds for a client."""
SILENCE_MILLISECONDS = 45_000
"""After which a peer that acknowledges nothing any more counts as gone (RFC 5482)."""

BEAT = b":\n\n"
"""A comment: clients pass over it, and proxies see that the connection lives."""


def framed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Describe one event of a stream as it is framed, with the schema of its JSON."""
    text = {"type": "string"}
    inside = {**text, "contentMediaType": "application/json", "contentSchema": data}
    return {
        "type": "object",
        "properties": {"id": text, "event": text, "data": inside},
        "required": ["id", "event", "data"],
    }


@dataclass(frozen=True, slots=True)
class EventStream:
    """Frames sent as they come. A handler that answers one says `Annotated[EventStream, media]`."""

    frames: AsyncGenerator[bytes, None]


def frame(name: str, place: str, data: Mapping[str, Any]) -> bytes:
    """Write one event: its name, the id to resume behind, and JSON, which has no line breaks."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (place.encode(), name.encode(), encode(data))


async def tell(
    request: web.BaseRequest, status: int, stream: EventStream, extra: Mapping[str, str]
) -> web.StreamResponse:
    """Send frames until they end, or until the client is gone or leaves too much unread."""
    response = web.StreamResponse(status=status, headers=HEADERS)
    response.headers.update(extra)
    async with aclosing(stream.frames) as frames:
        await response.prepare(request)
        transport = request.transport
        if request.method == "HEAD" or transport is None:
            return response
        _bound(transport)
        try:
            async for each in frames:
                await response.write(each)
                if not await _has_taken(transport):
                    transport.abort()
                    break
        except ConnectionError:
            pass  # it went away: it will be back
        except Exception as error:  # noqa: BLE001 - the answer has begun: to break it off is the only way to say no
            report(error)
            request.protocol.force_close()
    return response


async def _has_taken(transport: asyncio.WriteTransport) -> bool:
    """Tell whether the client leaves no more unread than it may; it has its time for that."""
    ends_at = 0.0
    while transport.get_write_buffer_size() > MOST_UNREAD:
        now = asyncio.get_running_loop().time()
        ends_at = ends_at or now + STALL_SECONDS
        if now >= ends_at:
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return True


def _bound(transport: asyncio.Transport) -> None:
    """Have the kernel hold little for a client, and notice one that is gone without a word."""
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family in {socket.AF_INET, socket.AF_INET6}:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENCE_MILLISECONDS)
