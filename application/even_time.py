"""Answers whose time does not tell what was found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import SystemRandom
from time import monotonic

STEP = 0.025
"""Seconds: many times what a look at rows that are there takes longer than one at rows that are not."""
_CHANCE = SystemRandom()


@asynccontextmanager
async def in_even_time() -> AsyncIterator[None]:
    """Have a block end, also by an error, a whole number of steps after it began, and up to one more by chance.

    The steps hide what it did; chance hides how a loop's clock, which ticks by the millisecond, rounds the wait.
    """
    began = monotonic()
    try:
        yield
    finally:
        await asyncio.sleep(-(monotonic() - began) % STEP + _CHANCE.uniform(0, STEP))
