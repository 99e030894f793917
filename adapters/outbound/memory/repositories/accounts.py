"""The account in memory."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from adapters.outbound.memory.rows import Loaded
from application.ports.repositories.accounts import Accounts
from domain.accounts import Account
from domain.kernel import AccountId


@dataclass(frozen=True, slots=True)
class MemoryAccounts(Accounts):
    """`Accounts` over one account's rows."""

    loaded: Loaded
    account_id: AccountId

    @override
    async def get(self) -> Account:
        return await self.loaded.one(Account, self.account_id)

    @override
    async def get_even_broken(self) -> Account:
        return await self.get()
