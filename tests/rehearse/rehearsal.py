"""The rehearsal: two servers and three workers under load, of which one of each dies and one of each is added."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext
from time import monotonic

from tests.rehearse.fleet import Fleet
from tests.rehearse.front import Front
from tests.rehearse.ground import Ground, migrated, standing
from tests.rehearse.load import Load
from tests.rehearse.verdict import broken

SERVERS, WORKERS = 2, 3
Say = Callable[[str], None]
Certificate = tuple[SSLContext, Path]


@dataclass
class Killed:
    """Who was killed: what breaks there is not held against anybody."""

    servers: set[str] = field(default_factory=set)


@asynccontextmanager
async def staffed(folder: Path, certificate: Certificate, code: Path | None = None) -> AsyncIterator[Fleet]:
    """Start everything: what outlives processes, and a fleet of two servers and three workers."""
    async with standing(folder, certificate, Front()) as ground:
        await migrated(ground, code)
        fleet = Fleet(ground)
        try:
            await asyncio.gather(
                *(fleet.add_server(code) for _ in range(SERVERS)),
                *(fleet.add_worker(code) for _ in range(WORKERS)),
            )
            yield fleet
        finally:
            await fleet.end()


async def under_load(fleet: Fleet, seconds: float, say: Say) -> list[str]:
    """Have people live for so long, while a server and a worker are killed and added. Return what does not hold."""
    load, killed = Load(fleet.ground), Killed()
    await load.settle()
    began = monotonic()
    say(f"{SERVERS} servers and {WORKERS} workers; mixed load for {seconds:.0f} s begins.")
    await load.run(_changed(fleet, seconds, killed, say))
    took = monotonic() - began
    found = await broken(load, say)
    tell(fleet.ground, load, say)
    say(f"load {took:.0f} s; everything at its end {monotonic() - began - took:.0f} s after it")
    return found + failures(fleet.ground.front, killed)


async def _changed(fleet: Fleet, seconds: float, killed: Killed, say: Say) -> None:
    """Kill one of each after a third of the time; add one of each at half time."""
    ends_at = monotonic() + seconds
    await asyncio.sleep(seconds / 3)
    server, worker = fleet.servers[0], fleet.workers[0]
    killed.servers.add(server.backend.name)
    await fleet.end_server(server, signal.SIGKILL)
    await fleet.end_worker(worker, signal.SIGKILL)
    say(f"{server.backend.name} and a worker are killed.")
    await asyncio.sleep(seconds / 6)
    await asyncio.gather(fleet.add_server(), fleet.add_worker())
    say(f"{fleet.servers[-1].backend.name} and a worker are added.")
    await asyncio.sleep(max(0.0, ends_at - monotonic()))


def failures(front: Front, killed: Killed) -> list[str]:
    """Return what servers failed at, but for the connections of one that was killed."""
    found = [f"for {front.nobody} requests nobody was ready"] if front.nobody else []
    for backend in front.backends:
        lost = backend.failures - (len(backend.broken) if backend.name in killed.servers else 0)
        if lost:
            found.append(f"{backend.name} failed at {lost} requests: {dict(backend.answers)}")
    return found


def tell(ground: Ground, load: Load, say: Say) -> None:
    """Say what was done, and what came of it."""
    say(", ".join(f"{times} {what}" for what, times in sorted(load.done.items())))
    say(
        f"{len(load.gone)} erased at once, {len(load.leaving)} within their thirty days,"
        f" {len(load.stayed)} recovered; {ground.taken.total()} messages taken by carriers"
    )
    for backend in ground.front.backends:
        say(
            f"{backend.name}: {dict(sorted(backend.answers.items()))}, {len(backend.broken)} connections broken,"
            f" {backend.refused} times nobody there; slowest {backend.slowest[0]:.1f} s"
        )
