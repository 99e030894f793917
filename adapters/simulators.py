"""What all simulated providers share: knobs that tests and visitors turn, and a memory that outlives `kill -9`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from aiohttp import web


@dataclass(slots=True)
class Knobs:
    """What may be turned while a simulator runs. Counters count down as they act; flags stay."""

    def set(self, knobs: Mapping[str, object]) -> None:
        """Turn some knobs, or none: an unknown name or a value of another type raises ValueError naming the knob."""
        known = {field.name: type(field.default) for field in fields(self)}
        for name, value in knobs.items():
            wanted = known.get(name)
            if wanted is None:
                raise ValueError("there is no such knob")
            if type(value) is not wanted and not (wanted is float and type(value) is int):
                raise ValueError(f"the knob {name} takes a value of type {wanted.__name__}")
        for name, value in knobs.items():
            setattr(self, name, value)

    def spend(self, counter: str) -> bool:
        """Tell whether a counting knob still acts, and count it down."""
        left: int = getattr(self, counter)
        if left > 0:
            setattr(self, counter, left - 1)
        return left > 0


def keep(file: Path, kept: Mapping[str, object]) -> None:
    """Replace a file as a whole: whoever reads it finds the state before or after, never a half.

    A process may be killed at any time; of a machine that loses power a simulator need not know.
    """
    half = file.with_name(f"{file.name}.new")  # one name: a half left by a kill is overwritten
    half.touch(mode=0o600)
    half.write_text(json.dumps(kept), "utf-8")
    half.replace(file)


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[int]:
    """Serve an application on a free port of loopback, and yield the port."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield site.port
    finally:
        await runner.cleanup()
