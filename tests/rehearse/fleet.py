"""Servers and workers in processes of their own, any number of each, of any release."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

from benchmarks.parts import Part, lasting_port
from tests.rehearse.front import Backend, address
from tests.rehearse.ground import Ground

SERVE, WORK = ("bootstrap", "serve", "--no-work"), ("bootstrap", "work")


class Server(NamedTuple):
    """A server's process, and what the balancer knows of it."""

    part: Part
    backend: Backend


@dataclass
class Fleet:
    """What runs. `serve` and `work` are the words that start it, `code` is the release's; this one's when None."""

    ground: Ground
    serve: tuple[str, ...] = SERVE
    work: tuple[str, ...] = WORK
    servers: list[Server] = field(default_factory=list)
    workers: list[Part] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    async def add_server(self, code: Path | None = None) -> Server:
        """Start a server, and wait until the balancer sends requests there."""
        port = lasting_port()
        part = self.ground.part(*self.serve, code=code, PICO_PORT=str(port))
        await part.start()
        backend = self.ground.front.add(f"server {next(self._numbers)}", address(port))
        self.servers.append(Server(part, backend))
        await self.ground.front.ready(backend)
        return self.servers[-1]

    async def add_worker(self, code: Path | None = None) -> Part:
        """Start a worker."""
        part = self.ground.part(*self.work, code=code)
        await part.start()
        self.workers.append(part)
        return part

    async def end_server(self, server: Server, how: signal.Signals = signal.SIGTERM) -> None:
        """End a server: with SIGTERM it says so first, and answers what is under way."""
        self.servers.remove(server)
        await server.part.end(how)

    async def end_worker(self, worker: Part, how: signal.Signals = signal.SIGTERM) -> None:
        """End a worker: with SIGTERM it finishes its jobs first, or puts them back."""
        self.workers.remove(worker)
        await worker.end(how)

    async def end(self) -> None:
        """End everything."""
        for server in list(self.servers):
            await self.end_server(server)
        for worker in list(self.workers):
            await self.end_worker(worker)
