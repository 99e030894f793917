"""A small HTTP/2 server on loopback, in clear and without an upgrade: who speaks HTTP/1.1 is not understood."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError

Answer = Callable[[str, Mapping[str, str], bytes], tuple[int, bytes]]
"""Given a path, headers and a body, the status and the body of the answer."""


@dataclass(slots=True)
class Connection:
    """One client's connection. Requests may come at once, and are answered one after the other."""

    answer: Answer
    h2: H2Connection = field(
        default_factory=lambda: H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
    )
    asked: dict[int, tuple[dict[str, str], bytearray]] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until the client leaves, or says what is no HTTP/2."""
        self.h2.initiate_connection()
        with suppress(ProtocolError, OSError):
            writer.write(self.h2.data_to_send())
            while data := await reader.read(1 << 16):
                for event in self.h2.receive_data(data):
                    if isinstance(event, ConnectionTerminated):
                        return
                    self._take(event)
                writer.write(self.h2.data_to_send())
                await writer.drain()

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream), headers=given):
                self.asked[stream] = {str(name): str(value) for name, value in given or ()}, bytearray()
            case DataReceived(stream_id=int(stream), data=data) if stream in self.asked:
                self.asked[stream][1].extend(data or b"")
                self.h2.acknowledge_received_data(event.flow_controlled_length or 0, stream)
            case StreamReset(stream_id=int(stream)):
                self.asked.pop(stream, None)
            case StreamEnded(stream_id=int(stream)) if stream in self.asked:
                headers, body = self.asked.pop(stream)
                self._answer(stream, *self.answer(headers[":path"], headers, bytes(body)))

    def _answer(self, stream: int, status: int, said: bytes) -> None:
        self.h2.send_headers(stream, [(":status", str(status))], end_stream=not said)
        if said:
            self.h2.send_data(stream, said, end_stream=True)


@asynccontextmanager
async def serving_http2(
    answer: Answer, on_connection: Callable[[], None] = lambda: None, host: str = "127.0.0.1"
) -> AsyncIterator[str]:
    """Listen on any free port, and yield the address."""
    connected: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected[writer] = asyncio.current_task()
        on_connection()
        try:
            await Connection(answer).serve(reader, writer)
        finally:
            writer.close()
            connected.pop(writer, None)

    server = await asyncio.start_server(serve, host, 0)
    try:
        yield f"http://{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in [task for task in connected.values() if task is not None]:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
