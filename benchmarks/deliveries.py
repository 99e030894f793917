"""Every inbound message is told of twenty times, 32 webhooks at a time, while servers are killed at random.

`./pico bench --deliveries MESSAGES [--kills TIMES]`: afterwards each message must be there once, one live event must
tell of it, and one push. Webhooks are sent in an order of chance, so that those of one message come at the same
moment, too. What outlives the servers, as it does in life, runs here: PostgreSQL, the carrier, Apple, a balancer.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic

import asyncpg
from aiohttp import ClientError
from yarl import URL

from adapters.outbound.twilio.simulator import Announcement
from benchmarks.kills import STRANGER, Stage, let_pass, staged

PEOPLE, TIMES, AT_ONCE = 8, 20, 32
APART = 64
"""Messages whose webhooks are sent in one go."""
PACE = (0.2, 1.2)
"""Seconds between two kills."""
PATIENCE = 300


@dataclass
class Deliveries:
    """What is sent to the stage, and what came of it."""

    stage: Stage
    answers: Counter[int] = field(default_factory=Counter)
    """By status; 0: nobody was there."""
    wanted: dict[str, set[str]] = field(default_factory=dict)
    """By number, what each line must hold."""

    async def deliver(self, messages: int) -> None:
        """Announce so many messages, each so many times."""
        lines = list(self.wanted)
        for first in range(0, messages, APART):
            announced: list[Announcement] = []
            for number in range(first, min(first + APART, messages)):
                to, body = lines[number % len(lines)], f"message {number}"
                announced.append(self.stage.simulator.announce(STRANGER, to, body))
                self.wanted[to].add(body)
            all_of_them = announced * TIMES
            random.shuffle(all_of_them)
            queued = iter(all_of_them)
            await asyncio.gather(*(self._send(queued) for _ in range(AT_ONCE)))

    async def _send(self, queued: object) -> None:
        for told in queued:  # type: ignore[attr-defined]  # an iterator that all share
            status = 0
            with suppress(ClientError, TimeoutError):
                url = URL(told.url, encoded=True)
                async with self.stage.session.post(url, data=told.form, headers=told.headers) as answer:
                    status = answer.status
            self.answers[status] += 1


async def deliveries(messages: int, kills: int, folder: Path, say: Callable[[str], None]) -> int:
    """Deliver, and kill meanwhile. Return how many promises were broken; each is told."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(folder))
        people = {f"+14155550{place}": f"p{place}" for place in range(101, 101 + PEOPLE)}
        tokens = {number: await stage.person(name) for number, name in people.items()}
        for place, (number, token) in enumerate(tokens.items()):
            await stage.line(token, number)
            device = {"platform": "ios", "device_token": f"{place:064x}"}
            await stage.ask("POST", "/v1/push-tokens", device, token)
        told = Deliveries(stage, wanted={number: set() for number in tokens})
        began = monotonic()
        killing = asyncio.create_task(_kill(stage, kills))
        await told.deliver(messages)
        await killing
        took = monotonic() - began
        say(
            f"{messages} messages, {TIMES} webhooks each, {AT_ONCE} at a time, {kills} kills, in {took:.0f} s;"
            f" answers by status: {dict(sorted(told.answers.items()))}"
        )
        broken, end = ["nothing was looked at"], monotonic() + PATIENCE
        while broken and monotonic() < end:
            await let_pass(stage, timedelta(minutes=1))  # what nobody heard of is caught up with
            await asyncio.sleep(5)
            broken = await _broken(stage, told, tokens)
        for one in broken:
            say(f"broken: {one}")
        return len(broken)


async def _kill(stage: Stage, times: int) -> None:
    for _ in range(times):
        await asyncio.sleep(random.uniform(*PACE))
        server = random.choice(stage.parts[:2])
        await server.end(signal.SIGKILL)
        await server.start()


async def _broken(stage: Stage, told: Deliveries, tokens: dict[str, str]) -> list[str]:
    """Return what is lost or there twice: messages, live events, pushes."""
    found = []
    for number, bodies in told.wanted.items():
        held = await stage.inbox(tokens[number])
        found += [f"{body!r} is there {held[body]} times" for body in bodies if held[body] != 1]
        found += [f"{body!r} was never sent" for body in held.keys() - bodies]
    sent = sum(map(len, told.wanted.values()))
    connection = await asyncpg.connect(stage.database_url)
    counted = "SELECT count(*), count(DISTINCT subject) FROM live_events WHERE kind = 'message.received'"
    row = await connection.fetchrow(counted)
    await connection.close()
    if tuple(row) != (sent, sent):
        found.append(f"{row[0]} live events tell of {row[1]} messages, and not of {sent}")
    pushes = stage.push.holdings()["apns"]
    if pushes != sent:
        found.append(f"{pushes} pushes were sent, and not {sent}")
    return found
