"""A key service that can be made to wait."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from adapters.outbound.memory.kms import MemoryKms
from application.ports.kms import WrappedKey


class GatedKms(MemoryKms):
    """A key service that answers only while its gate is open."""

    def __init__(self) -> None:
        super().__init__(lambda: datetime(2027, 3, 1, tzinfo=UTC))
        self.gate = asyncio.Event()
        self.gate.set()
        self._arrivals = asyncio.Semaphore(0)

    async def wrap(
        self, plaintext: bytes, context: Mapping[str, str], key_id: str | None = None
    ) -> WrappedKey:
        await self._admitted()
        return await super().wrap(plaintext, context, key_id)

    async def unwrap(self, wrapped: WrappedKey, context: Mapping[str, str]) -> bytes:
        await self._admitted()
        return await super().unwrap(wrapped, context)

    async def reached(self, by: int = 1) -> None:
        """Wait until so many callers stand before the closed gate."""
        for _ in range(by):
            await self._arrivals.acquire()

    async def _admitted(self) -> None:
        if not self.gate.is_set():
            self._arrivals.release()
        await self.gate.wait()
