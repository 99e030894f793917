"""Blocked numbers on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from typing_extensions import override

from adapters.outbound.postgres.codec import codec
from adapters.outbound.postgres.reading import ACCOUNT, Read, Reader, owned, whole
from adapters.outbound.postgres.statements import compiled
from application.ports.repositories.blocked_numbers import BlockedNumbers
from domain.blocked_numbers import BlockedNumber, BlockedNumberId
from domain.values import PhoneNumber

BLOCKED_INDEX = "blocked_numbers.number"
"""What the blind index of a blocked number is for."""

_C = codec(BlockedNumber).table.c
_FIND = Read.by(BlockedNumber, whole(BlockedNumber, _C.number_index == sa.bindparam("number")), "number")
_NEWEST = whole(BlockedNumber).order_by(_C.id.desc()).limit(sa.bindparam("limit", type_=sa.Integer()))
_PAGE = Read.by(BlockedNumber, _NEWEST, "limit")
_PAGE_BEFORE = Read.by(BlockedNumber, _NEWEST.where(_C.id < sa.bindparam("before")), "limit", "before")
_COUNT = compiled(sa.select(sa.func.count()).where(owned(BlockedNumber)), ACCOUNT)


@dataclass(frozen=True, slots=True)
class PostgresBlockedNumbers(BlockedNumbers):
    """`BlockedNumbers` of one unit of work."""

    reader: Reader

    @override
    async def find(self, number: PhoneNumber) -> BlockedNumber | None:
        index = self.reader.keys.account_index(BLOCKED_INDEX, number)
        return await self.reader.maybe(_FIND, index, even_broken=True)

    @override
    async def page(self, before: BlockedNumberId | None, limit: int) -> list[BlockedNumber]:
        if before is None:
            return await self.reader.all(_PAGE, limit, even_broken=True)
        return await self.reader.all(_PAGE_BEFORE, limit, before, even_broken=True)

    @override
    async def count(self) -> int:
        (count,) = await self.reader.database.first(_COUNT, self.reader.account_id)
        return int(count)
