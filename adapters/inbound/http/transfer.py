"""Reading from and writing to aiohttp: bodies within the limit, queries, JSON answers, downloads."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDict

from adapters.inbound.http import problems, wire
from adapters.inbound.http.request import Download, Reply

JSON_TYPE = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?\Z', re.IGNORECASE)
MOST_PARAMETERS = 20
BODY_SECONDS = 30.0

BARE = CIMultiDict(problems.COMMON_HEADERS)
JSON = CIMultiDict({**problems.COMMON_HEADERS, "Content-Type": "application/json"})


async def respond(request: web.BaseRequest, status: int, reply: Reply) -> web.StreamResponse:
    """Put a handler's reply into an HTTP response."""
    if reply is None:
        return web.Response(status=status, headers=BARE)
    if isinstance(reply, dict):
        return web.Response(status=status, headers=JSON, body=wire.encode(reply))
    if isinstance(reply, Download):
        return await _stream(request, status, reply)
    return reply


async def _stream(request: web.BaseRequest, status: int, download: Download) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=JSON)
    response.headers["Content-Disposition"] = f'attachment; filename="{download.filename}"'
    async with aclosing(download.chunks) as chunks:
        chunk = await anext(chunks, b"")  # An error here still has a status to go with.
        await response.prepare(request)
        try:
            await response.write(chunk)
            async for chunk in chunks:
                await response.write(chunk)
        except Exception as error:  # noqa: BLE001 - the answer has begun: to break it off is the only way to say no
            if not isinstance(error, ConnectionError):
                problems.report(error)
            request.protocol.force_close()
    return response


async def read_body(request: web.BaseRequest, within: float = BODY_SECONDS) -> bytes:
    """Read the whole body. Raises TooLarge, TooSlow after `within` seconds, BadRequest when it breaks off.

    The time limit also ends the wait for a chunk that aiohttp could not parse: it never tells the reader.
    """
    if "Expect" in request.headers:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # The answer itself has not begun.
    try:
        if request.content.is_eof():  # Nearly always: it came with the headers, and needs no timer.
            return await request.read()
        async with asyncio.timeout(within):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise problems.TooLarge from None
    except TimeoutError:
        raise problems.TooSlow from None
    except (web.RequestPayloadError, ConnectionError):
        raise problems.BadRequest from None


async def read_json(request: web.BaseRequest) -> bytes:
    """Read a JSON body. Raises NotJson for any other kind, and what `read_body` raises."""
    headers = request.headers
    if not JSON_TYPE.match(headers.get("Content-Type", "")) or "Content-Encoding" in headers:
        raise problems.NotJson
    return await read_body(request)


def read_query(query: str) -> dict[str, str]:
    """Read a query string, each name at most once. Raises MalformedQuery."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(
            query,
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        raise problems.MalformedQuery from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise problems.MalformedQuery
    return values
