"""Load as it comes in life: at a rate, and whether or not the former request was answered.

Who sends the next request only once the last one was answered waits with a server that is slow, and measures too
little of it. Here each request has a time of its own, by chance around the rate (a Poisson process), and counts from
that time on: what a stall keeps waiting is measured, too.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from typing_extensions import override

from benchmarks.load import Connection


@dataclass(frozen=True, slots=True)
class Arrived:
    """From when each request was due until it was answered, in seconds; how many were under way at most."""

    each: list[float]
    most: int


class _Caller(Connection):
    """Asks when it is told to, and is idle once the answer is whole."""

    def __init__(self, each: list[float], idle: list[_Caller]) -> None:
        super().__init__(iter(()), each, None)
        self._idle = idle

    @override
    def _next(self) -> None:
        self._idle.append(self)

    def ask(self, request: bytes, due: float) -> None:
        """Send a request that was due at this time."""
        self._began = due
        self._transport.write(request)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Hang up."""
        self.done.set_result(None)
        self._transport.close()


async def arrive(port: int, requests: Sequence[bytes], *, rate: float, seed: int) -> Arrived:
    """Send so many a second, over as many connections as that takes. Raises NotServed.

    The same seed makes them come at the same times.
    """
    loop, chance = asyncio.get_running_loop(), random.Random(seed)
    each: list[float] = []
    idle: list[_Caller] = []
    callers: list[_Caller] = []

    def failed() -> None:
        for caller in callers:
            if caller.done.done():
                caller.done.result()

    gc.collect()
    gc.disable()
    due = perf_counter()
    try:
        for request in requests:
            due += chance.expovariate(rate)
            await asyncio.sleep(max(due - perf_counter(), 0))
            failed()
            if not idle:
                _, made = await loop.create_connection(lambda: _Caller(each, idle), "127.0.0.1", port)
                callers.append(made)
            idle.pop().ask(request, due)
        while len(idle) < len(callers):
            await asyncio.sleep(0.001)
            failed()
    finally:
        gc.enable()
    for caller in callers:
        caller.close()
    return Arrived(each, len(callers))
