"""Blocked numbers in memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, newest_first
from application.ports.repositories.blocked_numbers import BlockedNumbers
from domain.blocked_numbers import BlockedNumber, BlockedNumberId
from domain.values import PhoneNumber


@dataclass(frozen=True, slots=True)
class MemoryBlockedNumbers(BlockedNumbers):
    """`BlockedNumbers` over one account's rows."""

    loaded: Loaded

    @override
    async def find(self, number: PhoneNumber) -> BlockedNumber | None:
        return await self.loaded.maybe(BlockedNumber, lambda blocked: blocked.number == number)

    @override
    async def page(self, before: BlockedNumberId | None, limit: int) -> list[BlockedNumber]:
        found = await self.loaded.all(BlockedNumber, lambda blocked: before is None or blocked.id < before)
        return newest_first(found)[:limit]

    @override
    async def count(self) -> int:
        await self.loaded.answer()
        return len(list(self.loaded.of(BlockedNumber)))
