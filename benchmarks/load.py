"""Load as cheap as it gets: ready-made bytes over a few kept-alive connections, answers read no further than needed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter

CONNECTIONS = 8
"""Requests under way at a time, unless said otherwise."""


class NotServed(Exception):
    """An answer that is not 2xx. The message is the answer: nobody real is in it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a series of requests took: in all, and each, in seconds; and how many were refused, where that is borne."""

    seconds: float
    each: list[float]
    refused: int = 0


class Connection(asyncio.Protocol):
    """Sends a request as soon as the answer to the former one is whole."""

    def __init__(self, requests: Iterator[bytes], each: list[float], refusals: list[str] | None) -> None:
        self._requests = requests
        self._each = each
        self._refusals = refusals
        self._missing = -1  # of the answer's body; -1: its head has not come
        self._head = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self.done.set_result(None)
        else:
            self._began = perf_counter()
            self._transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            data = self._head + data
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._head = data
                return
            self._head = b""
            if data[9:10] != b"2":
                if self._refusals is None:
                    self.done.set_exception(NotServed(data.decode(errors="replace")))
                    self._transport.close()
                    return
                self._refusals.append(data[9:12].decode())
            at = data.find(b"Content-Length: ", 0, end)
            length = int(data[at + 16 : data.find(b"\r", at)]) if at >= 0 else 0
            self._missing = length + end + 4
        self._missing -= len(data)
        if self._missing == 0:
            self._missing = -1
            self._each.append(perf_counter() - self._began)
            self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or NotServed("the server hung up"))


async def fire(
    port: int, requests: Iterable[bytes], *, connections: int = CONNECTIONS, bear_refusals: bool = False
) -> Measured:
    """Send all requests over so many connections and wait for their answers.

    Raises NotServed for the first answer that is not 2xx, unless refusals are borne.
    """
    loop, queue = asyncio.get_running_loop(), iter(requests)
    each: list[float] = []
    refusals: list[str] | None = [] if bear_refusals else None
    gc.collect()
    gc.disable()
    began = perf_counter()
    try:
        made = [
            await loop.create_connection(lambda: Connection(queue, each, refusals), "127.0.0.1", port)
            for _ in range(connections)
        ]
        await asyncio.gather(*(connection.done for _, connection in made))
    finally:
        gc.enable()
    return Measured(perf_counter() - began, each, len(refusals or ()))


async def ask(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send one request and return status, headers by lower-case name, and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    writer.close()
    await writer.wait_closed()
    return int(head[0].split()[1]), headers, body
