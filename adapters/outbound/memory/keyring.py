"""A keyring in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from os import urandom

from typing_extensions import override

from application.ports.keyring import AccountKey, Ending, KeyGone, Keyring, KeysUnavailable
from domain.kernel import AccountId


class MemoryKeyring(Keyring):
    """`Keyring` in two dictionaries. Set `outage` to have every method raise KeysUnavailable."""

    def __init__(self) -> None:
        self.outage = False
        self.epoch = 1
        """Under which keys are wrapped now: see `MemoryEpochs`."""
        self.wrapped_in: dict[AccountId | str, int] = {}
        """The epoch of each key."""
        self._accounts: dict[AccountId, AccountKey] = {}
        self._systems: dict[str, bytes] = {}
        self._until: dict[tuple[AccountId, bytes], datetime] = {}

    @override
    async def create(self, account_id: AccountId) -> None:
        self._answer()
        if account_id not in self._accounts:
            self._accounts[account_id] = AccountKey(1, urandom(32))
            self.wrapped_in[account_id] = self.epoch

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
        self.wrapped_in.pop(account_id, None)
        count = await self.count(account_id)
        self._accounts.pop(account_id, None)
        return count

    @override
    async def note_endings(self, account_id: AccountId, endings: Sequence[Ending]) -> None:
        self._answer()
        if (key := self._accounts.get(account_id)) is not None:
            key.ended.update(ending.row_id.bytes for ending in endings)
            self._until |= {(account_id, each.row_id.bytes): each.until for each in endings if each.until}

    @override
    async def purge_endings(self, until: datetime, limit: int) -> int:
        self._answer()
        due = [ending for ending, at in self._until.items() if at <= until][:limit]
        for account_id, row_id in due:
            del self._until[account_id, row_id]
            if account_id in self._accounts:
                self._accounts[account_id].ended.discard(row_id)
        return len(due)

    @override
    async def holders(self, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        self._answer()
        return sorted(holder for holder in self._accounts if after is None or holder > after)[:limit]

    @override
    async def count(self, account_id: AccountId) -> int:
        self._answer()
        key = self._accounts.get(account_id)
        return 0 if key is None else 1 + (key.former is not None)

    @override
    async def add(self, account_id: AccountId) -> int:
        key = await self.open(account_id)
        if key.former is None:
            key = AccountKey(key.version + 1, urandom(32), key.ended, former=key)
            self._accounts[account_id], self.wrapped_in[account_id] = key, self.epoch
        return key.version

    @override
    async def unheard(self, account_id: AccountId) -> timedelta:
        await self.open(account_id)
        return timedelta()

    @override
    async def finish(self, account_id: AccountId) -> int:
        key = await self.open(account_id)
        if key.former is None:
            return 0
        self._accounts[account_id] = AccountKey(key.version, key.material, key.ended)
        return 1

    @override
    async def older(self, than: datetime, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        return await self.holders(after, limit)

    @override
    async def system(self, purpose: str) -> bytes:
        self._answer()
        self.wrapped_in.setdefault(purpose, self.epoch)
        return self._systems.setdefault(purpose, urandom(32))

    def rewrap(self, limit: int) -> int:
        """Have up to `limit` keys belong to the newest epoch; return how many did not. Raises KeysUnavailable."""
        self._answer()
        earlier = [owner for owner, epoch in self.wrapped_in.items() if epoch < self.epoch][:limit]
        self.wrapped_in |= dict.fromkeys(earlier, self.epoch)
        return len(earlier)

    def _answer(self) -> None:
        if self.outage:
            raise KeysUnavailable
