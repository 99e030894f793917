"""Ten minutes without a webhook: once because nothing of ours runs, once because the carrier calls in vain.

`./pico bench --outage MESSAGES`: as many messages come meanwhile, spread over the ten minutes, which pass by moving the
clock of all that runs. Then the seconds are counted until none is missing; 120 are the promise. Two servers and two
workers, PostgreSQL and the carrier run as processes of their own do, with the clients beside them on one machine.

Each person looks once a second, as an app does: at what is newer than what was seen. In the end all of each inbox is
read: what is not there then is missing, whatever was seen before.
"""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic

from benchmarks.kills import STRANGER, Stage, let_pass, staged

PEOPLE = 20
OUTAGE, STEPS = timedelta(minutes=10), 10
PROMISE = 120
"""Seconds after the end of an outage within which nothing may be missing."""
PATIENCE = 600


@dataclass
class Inbox:
    """What one person has seen so far."""

    token: str
    seen: dict[str, str] = field(default_factory=dict)
    """Bodies by the ids of their messages."""

    async def look(self, stage: Stage) -> Counter[str]:
        """Read down to the newest message seen before in each conversation; return how often each body was seen."""
        async for conversation in stage.pages("/v1/conversations", self.token):
            path, new = f"/v1/conversations/{conversation['id']}/messages", {}
            async with aclosing(stage.pages(path, self.token)) as messages:
                async for message in messages:
                    if message["id"] in self.seen:
                        break
                    new[message["id"]] = message["body"]
            self.seen |= new
        return Counter(self.seen.values())


async def outages(messages: int, folder: Path, say: Callable[[str], None]) -> int:
    """Have both outages. Return how many promises were broken; each is told."""
    broken = 0
    async with staged(folder) as stage:
        lines = [f"+14155550{place}" for place in range(101, 101 + PEOPLE)]
        people = [await stage.person(f"p{place}") for place in range(PEOPLE)]
        for token, line in zip(people, lines, strict=True):
            await stage.line(token, line)
        inboxes = {line: Inbox(token) for line, token in zip(lines, people, strict=True)}
        await asyncio.sleep(30)  # somebody has caught up before
        for name, down in (("everything of ours is down", True), ("no webhook comes through", False)):
            stage.simulator.faults.set({"drop": True})
            wanted: dict[str, Counter[str]] = {line: Counter() for line in lines}
            if down:
                for part in stage.parts:
                    await part.end(signal.SIGKILL)
            for step in range(STEPS):
                await let_pass(stage, OUTAGE / STEPS)
                for number in range(step * messages // STEPS, (step + 1) * messages // STEPS):
                    to, body = lines[number % PEOPLE], f"{name} {number}"
                    await stage.simulator.inbound_sms(STRANGER, to, body)
                    wanted[to][body] += 1
            began = monotonic()
            stage.simulator.faults.set({"drop": False})
            if down:
                await asyncio.gather(*(part.start() for part in stage.parts))
            missing = messages
            while missing and monotonic() < began + PATIENCE:
                await asyncio.sleep(1)
                missing = sum([(wanted[to] - await inboxes[to].look(stage)).total() for to in lines])
            took, missing, twice = monotonic() - began, 0, 0
            for to in lines:
                held = await stage.inbox(inboxes[to].token)
                missing += (wanted[to] - held).total()
                twice += sum(times > 1 for times in held.values())
            say(
                f"{name} for {OUTAGE}, {messages} messages: {missing} missing and {twice} there twice"
                f" {took:.0f} s after its end"
            )
            broken += (missing > 0 or took > PROMISE) + (twice > 0)
    return broken
