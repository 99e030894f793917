"""Port requests in memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, newest_first
from application.ports.repositories.porting import PortRequests
from domain.porting import PortRequest, PortRequestId


@dataclass(frozen=True, slots=True)
class MemoryPortRequests(PortRequests):
    """`PortRequests` over one account's rows."""

    loaded: Loaded

    @override
    async def get(self, port_id: PortRequestId) -> PortRequest:
        return await self.loaded.one(PortRequest, port_id)

    @override
    async def get_even_broken(self, port_id: PortRequestId) -> PortRequest:
        return await self.loaded.one(PortRequest, port_id)

    @override
    async def list_all(self) -> list[PortRequest]:
        return newest_first(await self.loaded.all(PortRequest))
