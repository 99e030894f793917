"""Connections to Redis: a few, each answer within its time, and errors that quote nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeAlias

from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError

Word: TypeAlias = bytes | str | int

MOST = 16
"""Connections of a process. Redis does one thing at a time, so more would only wait there instead of here."""
ANSWER_SECONDS = 1.0
"""How long an answer is waited for, with whatever it takes to be connected first."""
LAST_SECONDS = 2 * ANSWER_SECONDS
"""The client's own times, which are never up before ours. It has none for an answer: it would wait for that by
`asyncio.wait_for`, which in Python 3.11 can swallow a cancellation, and with it the end of ours."""
PAUSE_SECONDS = 1.0
"""After an answer that did not come in time, nobody waits for one for so long."""


class RedisUnavailable(Exception):
    """Redis did not answer, or does not write. The original error, which may quote values, is left behind."""


class Script:
    """A Lua script: it is done whole, with nothing else in between.

    Sent by its hash, and whole to a server that does not know it: one that was restarted or took over knows none. It is
    never loaded on its own, which some proxies refuse.
    """

    def __init__(self, text: str) -> None:
        """Name it by its hash."""
        self.text = text
        self.name = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class Redis:
    """A server, or whatever stands at its address just now. All methods raise RedisUnavailable."""

    client: Client
    _slow_until: float = field(default=0.0, init=False)

    async def run(self, script: Script, key: bytes, *words: Word) -> Any:  # noqa: ANN401 - what the script returns
        """Run a script on one key, and return what it returns. It may be run twice if the connection breaks."""
        return await self._bounded(self._run(script, key, words))

    async def command(self, *words: Word) -> Any:  # noqa: ANN401 - what the server says
        """Send one command. It may be sent twice if the connection breaks."""
        return await self._bounded(self._send(*words))

    async def values(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return what lies under each key."""
        pipeline = self.client.pipeline(transaction=False)
        for key in keys:
            pipeline.get(key)
        found: list[bytes | None] = await self._bounded(pipeline.execute())
        return found

    async def _run(self, script: Script, key: bytes, words: Sequence[Word]) -> Any:  # noqa: ANN401 - as above
        try:
            return await self._send("EVALSHA", script.name, 1, key, *words)
        except NoScriptError:
            return await self._send("EVAL", script.text, 1, key, *words)

    async def _send(self, *words: Word) -> Any:  # noqa: ANN401 - as above
        return await self.client.execute_command(*words)  # type: ignore[no-untyped-call]

    async def _bounded(self, asking: Any) -> Any:  # noqa: ANN401 - a coroutine, and its answer
        if monotonic() < self._slow_until:
            asking.close()
            raise RedisUnavailable
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await asking
        except TimeoutError:
            self._slow_until = monotonic() + PAUSE_SECONDS
        # A replica since another took over: the address leads there once it is looked up anew.
        except ReadOnlyError:
            await self.client.connection_pool.disconnect(inuse_connections=False)
        except (RedisError, OSError):
            pass
        raise RedisUnavailable  # outside of the block above, so that the original is left behind


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Redis]:
    """Use the server at a redis:// or rediss:// address. Nothing is connected yet: an outage shows when it is used.

    Over TLS its certificate and its name are verified. What a broken connection was busy with is sent once more, over
    another: a count may be taken twice, and is never lost.
    """
    pool = BlockingConnectionPool.from_url(
        url, max_connections=MOST, timeout=LAST_SECONDS, socket_connect_timeout=LAST_SECONDS,
        socket_timeout=None, socket_keepalive=True, retry=Retry(NoBackoff(), 1, (Disconnected,)),
    )  # fmt: skip
    client = Client.from_pool(pool)
    try:
        yield Redis(client)
    finally:
        await client.aclose()
