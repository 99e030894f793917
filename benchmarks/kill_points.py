"""`kill -9` just where it hurts most: the carrier has taken a message, and its answer has not been committed.

Between the workers and the carrier stands somebody who lets requests through, and has the workers killed instead of
letting them hear that a message was taken. Each message must be at the carrier once, and its end known to us.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic
from urllib.parse import parse_qs, urlsplit

from benchmarks.kills import PATIENCE, STRANGER, Stage, let_pass, staged

OURS = "+12025550143"
VERBS = b"GET ", b"POST ", b"DELETE "
SENDING = b"/Messages.json HTTP/1.1\r\n"
CARRIER_SECONDS = 5
"""Within which the carrier answers."""
PACE = 0.5
"""Seconds between two messages."""
ENDED = {"delivered", "failed", "unconfirmed"}


Words = asyncio.StreamReader


@dataclass
class KillPoint:
    """Kills `workers` so many times, each time when the carrier has just taken a message."""

    times: int
    workers: dict[Words, int] = field(default_factory=dict)
    """What tells the process ids of each worker, and the present one."""
    done: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    """How often the carrier took each body."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def reached(self) -> bool:
        """Kill, and start them again; tell whether it was done, as it is no more when it was often enough."""
        async with self._one:
            if self.done == self.times:
                return False
            self.done += 1
            if self.done == self.times:
                self.over.set()
            for worker, pid in self.workers.items():
                os.kill(pid, signal.SIGKILL)
                self.workers[worker] = await told(worker)
        return True

    @asynccontextmanager
    async def before(self, carrier_url: str) -> AsyncIterator[str]:
        """Stand before the carrier, and yield the address to be asked instead."""
        carrier = urlsplit(carrier_url)

        async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            back_reader, back_writer = await asyncio.open_connection(carrier.hostname, carrier.port)
            asked = b""

            async def there() -> None:
                nonlocal asked
                while data := await reader.read(1 << 16):
                    asked = data if data.startswith(VERBS) else asked + data
                    back_writer.write(data)
                    await back_writer.drain()
                await asyncio.sleep(CARRIER_SECONDS)  # what the carrier took counts though nobody hears
                back_writer.close()

            async def back() -> None:
                while data := await back_reader.read(1 << 16):
                    if SENDING in asked and data.startswith(b"HTTP/1.1 201 "):
                        body = parse_qs(asked.partition(b"\r\n\r\n")[2])[b"Body"][0].decode()
                        self.taken[body] += 1
                        if await self.reached():
                            break
                    writer.write(data)
                    await writer.drain()
                writer.close()

            with suppress(OSError):
                await asyncio.gather(there(), back())

        server = await asyncio.start_server(passed_on, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def told(words: Words) -> int:
    """Return the process id that is told next."""
    return int(await words.readline())


async def kills_between_send_and_commit(times: int, folder: Path, say: Callable[[str], None]) -> int:
    """Kill `times` times. Return how many messages were lost, sent twice or left without an end; each is told."""
    point = KillPoint(times)
    async with staged(folder, point.before, ("benchmarks.forked_worker", str(folder))) as stage:
        for part in stage.parts[2:]:
            words = part.process.stdout  # type: ignore[union-attr]  # it runs
            point.workers[words] = await told(words)  # type: ignore[index,arg-type]  # it was opened
        ada = await stage.person("ada")
        line = await stage.line(ada, OURS)
        say("Two workers send; each is killed when the carrier has just taken its message.")
        began, number = monotonic(), 0
        while not point.over.is_set() and monotonic() < began + PATIENCE * 10:
            number += 1
            await stage.send(ada, line, STRANGER, f"ada {number}")
            with suppress(TimeoutError):
                async with asyncio.timeout(PACE):
                    await point.over.wait()
        broken = await _broken(stage, point.taken, ada)
        end = monotonic() + PATIENCE
        while broken and monotonic() < end:
            await let_pass(stage, timedelta(minutes=10))
            await asyncio.sleep(5)
            broken = await _broken(stage, point.taken, ada)
        say(f"{point.done} killed, {len(stage.sent)} messages sent, in {monotonic() - began:.0f} s")
        for one in broken:
            say(f"broken: {one}")
        return len(broken) + (point.done < times)


async def _broken(stage: Stage, taken: Counter[str], token: str) -> list[str]:
    """Return which messages the carrier has not taken once, and which have no end."""
    found = [f"{body!r} was taken {taken[body]} times" for body in stage.sent if taken[body] != 1]
    for body, message_id in stage.sent.items():
        message = await stage.ask("GET", f"/v1/messages/{message_id}", token=token)
        if message["status"] not in ENDED:
            found.append(f"{body!r} is still {message['status']}")
    return found
