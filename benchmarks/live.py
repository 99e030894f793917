"""Many who follow their accounts on one server: what each costs in memory, and each event that is told to one.

The server is the edge over the store in memory: what is measured is telling, not committing. Whoever follows is played
by a process of its own, over loopback.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

from adapters.inbound.http.app import build
from adapters.inbound.http.server import serving
from application.live_hub import MOST_OF_ACCOUNT
from bootstrap.worlds import InMemory
from bootstrap.worlds.edge import always
from domain.values import Label

ROUNDS = 10
CONNECTING = 200
"""Connections opened at the same time."""


async def tell(clients: int) -> int:
    """Measure with so many clients, and print what came of it."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    world = InMemory()
    people = [await world.signed_up(f"p{n}") for n in range(-(-clients // MOST_OF_ACCOUNT))]
    before = _memory()
    async with serving(build(world.use_cases, ready=always), "127.0.0.1", 0) as port:
        player = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.live", str(port),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert player.stdin is not None
        assert player.stdout is not None
        player.stdin.write(json.dumps([str(one.token) for one in people] * MOST_OF_ACCOUNT).encode() + b"\n")
        await player.stdout.readline()
        streams = world.use_cases.follow_events.hub.open
        each = (_memory() - before) / streams
        cpu, began = time.process_time(), time.monotonic()
        for turn in range(ROUNDS):
            for one in people:
                await world.use_cases.change_profile(one.id, Label(f"Name {turn}"), None)
            player.stdin.write(b"told\n")
            await player.stdout.readline()
        cpu, took = time.process_time() - cpu, time.monotonic() - began
        told = streams * ROUNDS
        sys.stdout.write(
            f"{streams} clients of {len(people)} accounts: {each / 1024:.1f} KiB of memory each; "
            f"{told} events told in {took:.1f} s: {cpu / told * 1e6:.0f} µs of CPU each, commits included\n"
        )
        world.use_cases.follow_events.close()
        player.stdin.close()
        await player.wait()
    return 0


def _memory() -> int:
    """Return how many bytes this process has in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def play(port: int) -> None:
    """Follow with each of the tokens that come in; say when all have opened, and when all have heard of a round."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    gate, heard, news = asyncio.Semaphore(CONNECTING), [0], asyncio.Event()

    async def follow(token: str) -> asyncio.Task[None]:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 14)
            writer.write(
                f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
            )
            while b"stream.opened" not in await reader.readline():
                pass
        return asyncio.create_task(listen(reader, writer))

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while line := await reader.readline():
                if line.startswith(b"event: account.changed"):
                    heard[0] += 1
                    news.set()
        writer.close()

    tokens = json.loads(await asyncio.to_thread(sys.stdin.readline))
    listening = await asyncio.gather(*map(follow, tokens))
    sys.stdout.write("open\n")
    sys.stdout.flush()
    wanted = 0
    while await asyncio.to_thread(sys.stdin.readline):
        wanted += len(tokens)
        while heard[0] < wanted:
            news.clear()
            await news.wait()
        sys.stdout.write("heard\n")
        sys.stdout.flush()
    for task in listening:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(play(int(sys.argv[1])))
