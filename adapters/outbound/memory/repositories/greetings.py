"""Greetings, in memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded, newest_first
from application.ports.repositories.greetings import Greetings
from domain.greetings import Greeting, GreetingId
from domain.kernel import LineId


@dataclass(frozen=True, slots=True)
class MemoryGreetings(Greetings):
    """`Greetings` over one account's rows."""

    loaded: Loaded

    @override
    async def get(self, greeting_id: GreetingId) -> Greeting:
        return await self.loaded.one(Greeting, greeting_id)

    @override
    async def of_line(self, line_id: LineId) -> list[Greeting]:
        return newest_first(await self.loaded.all(Greeting, lambda greeting: greeting.line_id == line_id))

    @override
    async def with_carrier_copy(self) -> list[Greeting]:
        return newest_first(await self.loaded.all(Greeting, lambda greeting: greeting.ref is not None))
