"""Processes of Pico that are started, ended and killed, beside what outlives them."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.forked import QUICK, Forked
from bootstrap.process import LOOPBACK
from bootstrap.settings import ROOT


@dataclass
class Part:
    """A process that is killed and started again."""

    words: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    """Beside those of this process that are not Pico's."""
    code: Path | None = None
    """Whose modules it runs; this checkout's when None."""
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        environment = environment_on(self.folder, self.variables)
        if self.code is not None:
            environment["PYTHONPATH"] = str(self.code)
        with (self.folder / "parts.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self.words, env=environment, cwd=self.code,
                stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        said = await self.process.stdout.readline()  # type: ignore[union-attr]  # that it serves, or works
        if not said and await self.process.wait():
            raise RuntimeError(f"{self.words} did not start: {log.name} says why")

    async def end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()


@dataclass
class ForkedPart:
    """Such a process, which is back sooner: see `Forked`."""

    words: tuple[str, ...]
    folder: Path
    process: Forked | None = None

    async def start(self) -> None:
        with (self.folder / "parts.log").open("ab") as log:
            self.process = process = Forked(
                *self.words, environment=environment_on(self.folder, QUICK), folder=ROOT, errors=log.fileno()
            )
        said = await asyncio.to_thread(process.stdout.readline)
        process.stdout.close()
        if not said:
            raise RuntimeError(f"{self.words} did not start: {log.name} says why")

    async def end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            await asyncio.to_thread(self.process.wait)


def environment_on(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process on a state folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PICO_")}
    return environment | {"PICO_STATE_DIR": str(folder), **variables}


def lasting_port() -> int:
    """Return a port that nobody is given by chance while the server that had it is started again."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server((LOOPBACK, port)):
            return port
