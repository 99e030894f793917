"""The HTTP server: aiohttp's protocol without its habit of quoting what it could not read."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from adapters.error_report import report
from adapters.inbound.http import problems
from adapters.inbound.http.listening import listen
from adapters.inbound.http.request_id import NamedRequest, name_request
from adapters.inbound.http_io import BadRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.http_parser import RawRequestMessage
    from aiohttp.streams import StreamReader

    Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

BODY_LIMIT = 64 * 1024
HEAD_SECONDS = 10.0
"""How long a request's line and headers may take, from the connection's first moment or their own first byte."""
IDLE_SECONDS = 75
GRACE_SECONDS = 10
"""How long requests may take to end when the server does."""
CUT_SECONDS = 1.0
"""How long those have that are cut off then."""
LOOK_SECONDS = 0.02
LINGER_SECONDS = 1.0
"""How long an unread body is drained after its answer, so that the answer is seen before the connection ends."""


class Protocol(RequestHandler):
    """One connection. What is not HTTP gets a constant 400, and nothing of it reaches an answer or a log."""

    __slots__ = ("_late", "_looks")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the first request its time: aiohttp waits as long for half a head as for none."""
        super().connection_made(transport)
        self._looks = False
        """Whether `_late` only looks for half a head."""
        self._late: asyncio.TimerHandle | None = self._loop.call_later(HEAD_SECONDS, self._hang_up)

    def data_received(self, data: bytes) -> None:
        """Take bytes in. Those of a request whose head is not complete start its time, or go on with it.

        A head may have begun behind a whole request, in the same bytes: its time starts, too, and at its end we look.
        """
        super().data_received(data)
        awaits = self._awaits_a_head()
        if self._late is None or self._looks or not awaits:
            if self._late is not None:
                self._late.cancel()
            late = self._hang_up if awaits else self._hang_up_on_half_a_head
            self._late, self._looks = self._loop.call_later(HEAD_SECONDS, late), not awaits

    def connection_lost(self, exc: BaseException | None) -> None:
        """Let go of the time as well."""
        super().connection_lost(exc)
        if self._late is not None:
            self._late.cancel()

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered, though the rest of it may still be on its way."""
        return self._request_in_progress

    def _awaits_a_head(self) -> bool:
        return self._waiter is not None and not self._waiter.done()

    def _hang_up(self) -> None:
        self._late = None
        if self._awaits_a_head():
            self.force_close()

    def _hang_up_on_half_a_head(self) -> None:
        """Find out whether the parser holds one, which it does not say: only half a head notices the end of a head.

        Between two requests empty lines are skipped (RFC 9112, 2.2).
        """
        self._late = None
        if self._parser is None or self._upgraded:
            return
        if not self._awaits_a_head():  # It is we who are late.
            self._late = self._loop.call_later(HEAD_SECONDS, self._hang_up_on_half_a_head)
            return
        try:
            whole = not self._parser.feed_data(b"\r\n\r\n")[0]
        except HttpProcessingError:
            whole = False
        if not whole:
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer for aiohttp, whose own answer and log line quote the offending header."""
        del message
        if status == BadRequest.status:
            response = problems.answer(BadRequest())
        else:
            if exc is not None:
                report(exc)
            response = problems.answer(problems.Unexpected())
        if request.writer.output_size > 0:
            raise ConnectionError  # An answer has begun: all that is left is to hang up.
        response.force_close()
        return response

    def log_exception(self, *_args: object, **details: object) -> None:
        """Log for aiohttp, whose own log entry holds the message and the peer's address."""
        error = details.get("exc_info")
        report(error if isinstance(error, BaseException) else RuntimeError())


class Server(web.Server):
    """A server for one handler: our route table stands where aiohttp's application and router would."""

    def __init__(self, handler: Handler) -> None:
        """Serve `handler`; needs a running loop. There is no access log: paths hold ids, peers are people."""
        super().__init__(
            handler,
            request_factory=self._request,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=LINGER_SECONDS,
        )

    def __call__(self) -> RequestHandler:
        """Make the protocol of one new connection."""
        return Protocol(self, loop=self._loop, **self._kwargs)

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        if message.upgrade:  # We ignore it, but aiohttp reads nothing behind it any more.
            message = message._replace(should_close=True)
        name_request()
        return NamedRequest(message, payload, protocol, writer, task, self._loop, client_max_size=BODY_LIMIT)


@asynccontextmanager
async def serving(handler: Handler, host: str, port: int, setting: str = "PICO_PORT") -> AsyncIterator[int]:
    """Serve until the block ends, then let running requests finish (10 s); yields the port, also for port 0.

    Raises CannotListen, which names the setting of the port.
    """
    server = Server(handler)
    runner = web.ServerRunner(server, shutdown_timeout=CUT_SECONDS)
    await runner.setup()
    try:
        port, listening = await listen(server, host, port, setting)
        try:
            yield port
        finally:
            for each in listening:
                each.close()
        await _finished(server)
    finally:
        await runner.cleanup()


async def _finished(server: Server) -> None:
    """Wait until no request is being answered, as long as there is grace; connections without one are closed.

    aiohttp's own shutdown throws away what comes in from then on: a request of which half was there is never answered.
    """
    clock = asyncio.get_running_loop().time
    ends_at = clock() + GRACE_SECONDS
    while clock() < ends_at:
        busy = False
        for connection in server.connections:
            if isinstance(connection, Protocol) and connection.is_busy:
                busy = True
            else:
                connection.force_close()  # what it has written is still sent
        if not busy:
            return
        await asyncio.sleep(LOOK_SECONDS)
