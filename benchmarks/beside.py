"""Sends while a worker in a process of its own hands them to the carrier, and the like while it stands still."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from benchmarks.load import fire
from benchmarks.product import ROOT, Rig
from benchmarks.scenarios import PUBLIC_URL, SCENARIOS

TARGET = 0.8
SLICE = 800
"""Messages of a slice."""
IDLE_SECONDS = 10.0


@dataclass(slots=True)
class Beside:
    """What came of it, pair by pair: rates of sends; the server's processor time, its connections' and the worker's."""

    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    server_alone: list[float] = field(default_factory=list)
    server_beside: list[float] = field(default_factory=list)
    database_alone: list[float] = field(default_factory=list)
    database_beside: list[float] = field(default_factory=list)
    worker: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    idle: float = 0.0
    left: int = 0

    @property
    def ratios(self) -> list[float]:
        return [beside / alone for beside, alone in zip(self.beside, self.alone, strict=True)]

    @property
    def spared(self) -> float:
        """What a send costs server and database alone, by what it costs them beside a worker.

        It is the share of sends that is left where those two have as much of the processor as without: a worker of its
        own machine takes nothing of theirs but locks and caches.
        """
        alone = zip(self.server_alone, self.database_alone, strict=True)
        beside = zip(self.server_beside, self.database_beside, strict=True)
        return median([sum(one) / sum(other) for one, other in zip(alone, beside, strict=True)])

    def line(self) -> str:
        """Tell it in a line."""
        of_server = (median(each) * 1e6 for each in (self.server_beside, self.server_alone))
        of_database = (median(each) * 1e6 for each in (self.database_beside, self.database_alone))
        return (
            f"sends beside a worker, for the same time of the processor: {self.spared:.2f} of those without, target"
            f" {TARGET:.2f}; on one machine with it: {median(self.ratios):.2f}"
            f" ({min(self.ratios):.2f}-{max(self.ratios):.2f});"
            f" {median(self.beside):.0f} / {median(self.alone):.0f} a second,"
            f" the server's CPU {' / '.join(f'{each:.0f}' for each in of_server)} µs a send, its"
            f" connections' {' / '.join(f'{each:.0f}' for each in of_database)};"
            f" the worker did {median(self.done):.0f} jobs a second, {median(self.worker) * 1e6:.0f} µs of CPU each;"
            f" idle it takes {self.idle:.1%} of a core; {self.left} jobs left undone"
        )


async def beside(rig: Rig, pairs: int) -> Beside:
    """Take turns: a slice of sends while the worker stands still, one while it works on all that has come together."""
    result, port = Beside(), rig.sides["product"].port
    connections = await _connections(rig)
    async with _worker(rig) as (process, watch):
        await fire(port, SCENARIOS["send"].requests(rig.size, rig.carrier_token, 0, rig.size.accounts))
        await _emptied(watch)
        before = _cpu(process.pid)
        await asyncio.sleep(IDLE_SECONDS)
        result.idle = (_cpu(process.pid) - before) / IDLE_SECONDS
        for pair in range(pairs):
            for place, works in enumerate((False, True) if pair % 2 else (True, False)):
                process.send_signal(signal.SIGCONT if works else signal.SIGSTOP)
                requests = SCENARIOS["send"].requests(
                    rig.size, rig.carrier_token, 2 + 2 * pair + place, SLICE
                )
                waiting, server, worker = await _waiting(watch), rig.sides["product"].cpu(), _cpu(process.pid)
                database = sum(map(_cpu, connections))
                seconds = (await fire(port, requests)).seconds
                of_server = (rig.sides["product"].cpu() - server) / SLICE
                of_database = (sum(map(_cpu, connections)) - database) / SLICE
                if works:
                    done = waiting + SLICE - await _waiting(watch)
                    result.beside.append(SLICE / seconds)
                    result.server_beside.append(of_server)
                    result.database_beside.append(of_database)
                    result.done.append(done / seconds)
                    result.worker.append((_cpu(process.pid) - worker) / max(done, 1))
                else:
                    result.alone.append(SLICE / seconds)
                    result.server_alone.append(of_server)
                    result.database_alone.append(of_database)
        process.send_signal(signal.SIGCONT)
        await _emptied(watch)
        result.left = await _waiting(watch)
    return result


@asynccontextmanager
async def _worker(rig: Rig) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncpg.Connection]]:
    url = rig.sides["product"].database_url
    place = {
        "database_url": url, "keyring_url": rig.sides["product"].keyring_url, "state_dir": str(rig.kms.parent),
        "public_url": PUBLIC_URL,
    }  # fmt: skip
    watch = await asyncpg.connect(url)
    with (rig.kms.parent / "worker.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.worker_part", json.dumps(place),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log, cwd=ROOT,
        )  # fmt: skip
        try:
            if not await process.stdout.readline():  # type: ignore[union-attr]
                raise RuntimeError("the worker did not start; worker.log beside the data says why")
            yield process, watch
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGCONT)
            await process.communicate(b"")
            await watch.close()


async def _connections(rig: Rig) -> list[int]:
    """Return the processes of PostgreSQL that serve the server, before anybody else connects."""
    watch = await asyncpg.connect(rig.sides["product"].database_url)
    try:
        found = await watch.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
    finally:
        await watch.close()
    return [row[0] for row in found]


async def _waiting(watch: asyncpg.Connection) -> int:
    """Count the messages that nobody has handed to the carrier yet."""
    return int(await watch.fetchval("SELECT count(*) FROM jobs WHERE name = 'send_message'"))


async def _emptied(watch: asyncpg.Connection, seconds: int = 120) -> None:
    for _ in range(seconds * 4):
        if not await _waiting(watch):
            return
        await asyncio.sleep(0.25)


def _cpu(pid: int) -> float:
    """Return the seconds of processor time that a process has used in its only busy thread (Linux, proc(5))."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


async def tell(rig: Rig, say: Callable[[Any], None], pairs: int) -> bool:
    """Measure and print it; tell whether the target was met and no job left."""
    both = await beside(rig, pairs)
    say(both.line())
    return both.spared >= TARGET and not both.left
