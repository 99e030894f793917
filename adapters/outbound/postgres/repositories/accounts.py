"""The account itself, on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.postgres.reading import Read, Reader, whole
from application.ports.repositories.accounts import Accounts
from domain.accounts import Account

_GET = Read.by(Account, whole(Account))


@dataclass(frozen=True, slots=True)
class PostgresAccounts(Accounts):
    """`Accounts` of one unit of work."""

    reader: Reader

    @override
    async def get(self) -> Account:
        return await self.reader.one(_GET)

    @override
    async def get_even_broken(self) -> Account:
        return await self.reader.one(_GET, even_broken=True)
