"""Phone lines in memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, newest_first
from application.ports.repositories.lines import Lines
from domain.kernel import LineId
from domain.lines import PhoneLine


@dataclass(frozen=True, slots=True)
class MemoryLines(Lines):
    """`Lines` over one account's rows."""

    loaded: Loaded

    @override
    async def get(self, line_id: LineId) -> PhoneLine:
        return await self.loaded.one(PhoneLine, line_id)

    @override
    async def get_even_broken(self, line_id: LineId) -> PhoneLine:
        return await self.get(line_id)

    @override
    async def list_all(self) -> list[PhoneLine]:
        return newest_first(await self.loaded.all(PhoneLine))
