"""Calls in memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.repositories.idempotency import MemoryIdempotencyRecords
from adapters.outbound.memory.rows import Loaded, newest_first
from application.ports.repositories.calls import CallContext, Calls
from domain.accounts import Account
from domain.blocked_numbers import BlockedNumber
from domain.calls import Call
from domain.idempotency import Operation
from domain.kernel import CallId, CarrierRef, LineId
from domain.lines import PhoneLine
from domain.values import Peer


@dataclass(frozen=True, slots=True)
class MemoryCalls(Calls):
    """`Calls` over one account's rows."""

    loaded: Loaded

    @override
    async def get_even_broken(self, call_id: CallId) -> Call:
        return await self.loaded.one(Call, call_id, lambda call: not call.is_deleted)

    @override
    async def get_even_deleted(self, call_id: CallId) -> Call:
        return await self.loaded.one(Call, call_id)

    @override
    async def by_ref(self, ref: CarrierRef) -> Call | None:
        return await self.loaded.maybe(Call, lambda call: call.ref == ref)

    @override
    async def context(
        self, line_id: LineId, ref: CarrierRef, caller: Peer | None, operation: Operation
    ) -> CallContext:
        blocks = await self.loaded.maybe(BlockedNumber, lambda blocked: str(blocked.number) == caller)
        line = await self.loaded.one(PhoneLine, line_id)
        return CallContext(
            line,
            await self.loaded.one(Account, line.account_id),
            await self.by_ref(ref),
            await MemoryIdempotencyRecords(self.loaded).earlier_result(operation),
            blocks is not None,
        )

    @override
    async def page(
        self, line_id: LineId | None, peer: Peer | None, before: CallId | None, limit: int
    ) -> list[Call]:
        found = await self.loaded.all(
            Call,
            lambda call: (
                not call.is_deleted
                and line_id in {None, call.line_id}
                and peer in {None, call.peer}
                and (before is None or call.id < before)
            ),
        )
        return newest_first(found)[:limit]

    @override
    async def with_carrier_record(self, after: CallId | None, limit: int) -> list[Call]:
        found = await self.loaded.all(
            Call, lambda call: call.has_carrier_record and (after is None or call.id > after)
        )
        return newest_first(found)[::-1][:limit]
