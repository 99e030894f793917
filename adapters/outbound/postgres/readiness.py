"""Whether databases answer and take writes: a full disk still reads, and so looks well to whoever only reads."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from adapters.outbound.postgres.pool import Database
from domain.kernel import PicoError

LOOK_SECONDS = 5.0
"""How long what was found out holds: /readyz is open to everyone, and each look writes."""

_READ = "SELECT 1"
_WRITE = """
DO $$ BEGIN
    CREATE TEMPORARY TABLE pico_probe (filler text) ON COMMIT DROP;
    INSERT INTO pico_probe SELECT repeat('x', 1900) FROM generate_series(1, 64);
END $$
"""
"""Takes 128 KiB of disk for a moment. A row of a table that is there would find room in pages it already has."""


@dataclass(slots=True)
class Readiness:
    """Asks databases whether they serve. What a write came to is remembered for `LOOK_SECONDS`."""

    databases: tuple[Database, ...]
    monotonic: Callable[[], float] = time.monotonic
    _problem: PicoError | None = None
    _until: float = field(default=float("-inf"))

    async def __call__(self) -> None:
        """Raises StoreUnavailable, or StoreFull when a database answers and has no room left."""
        for database in self.databases:
            await database.fetch(_READ)
        if self.monotonic() >= self._until:
            self._until = self.monotonic() + LOOK_SECONDS  # at once, so that of many who ask one writes
            self._problem = await self._written()
        if self._problem is not None:
            raise type(self._problem)

    async def _written(self) -> PicoError | None:
        try:
            for database in self.databases:
                await database.fetch(_WRITE)
        except PicoError as problem:
            return problem
        return None
