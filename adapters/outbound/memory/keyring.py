"""A keyring in memory."""

from __future__ import annotations

from collections.abc import Sequence
from os import urandom

from typing_extensions import override

from application.ports.keyring import AccountKey, KeyGone, Keyring, KeysUnavailable
from domain.kernel import AccountId


class MemoryKeyring(Keyring):
    """`Keyring` in two dictionaries. Set `outage` to have every method raise KeysUnavailable."""

    def __init__(self) -> None:
        self.outage = False
        self._accounts: dict[AccountId, AccountKey] = {}
        self._systems: dict[str, bytes] = {}

    @override
    async def create(self, account_id: AccountId) -> None:
        self._answer()
        self._accounts.setdefault(account_id, AccountKey(1, urandom(32)))

    @override
    async def open(self, account_id: AccountId) -> AccountKey:
        self._answer()
        key = self._accounts.get(account_id)
        if key is None:
            raise KeyGone
        return key

    @override
    async def reopen(self, account_id: AccountId) -> AccountKey:
        return await self.open(account_id)

    @override
    async def destroy(self, account_id: AccountId) -> int:
        self._answer()
        return 0 if self._accounts.pop(account_id, None) is None else 1

    @override
    async def holders(self, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        self._answer()
        return sorted(holder for holder in self._accounts if after is None or holder > after)[:limit]

    @override
    async def count(self, account_id: AccountId) -> int:
        self._answer()
        return int(account_id in self._accounts)

    @override
    async def system(self, purpose: str) -> bytes:
        self._answer()
        return self._systems.setdefault(purpose, urandom(32))

    def _answer(self) -> None:
        if self.outage:
            raise KeysUnavailable
