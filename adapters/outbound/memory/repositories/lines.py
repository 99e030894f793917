"""Phone lines in memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, newest_first
from application.ports.repositories.lines import Lines
from domain.kernel import LineId
from domain.lines import LineState, PhoneLine


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

    @override
    async def page(self, state: LineState | None, before: LineId | None, limit: int) -> list[PhoneLine]:
        wanted = [line for line in await self.list_all() if state in {None, line.state}]
        return [line for line in wanted if before is None or line.id < before][:limit]
