"""A keyring in memory."""

from __future__ import annotations

from os import urandom

from application.ports.keyring import AccountKey, KeyGone, KeysUnavailable
from domain.kernel import AccountId


class MemoryKeyring:
    """`Keyring` in two dictionaries. Set `outage` to have every method raise KeysUnavailable."""

    def __init__(self) -> None:
        self.outage = False
        self._accounts: dict[AccountId, AccountKey] = {}
        self._systems: dict[str, bytes] = {}

    async def create(self, account_id: AccountId) -> None:
        """See `Keyring.create`."""
        self._answer()
        self._accounts.setdefault(account_id, AccountKey(1, urandom(32)))

    async def open(self, account_id: AccountId) -> AccountKey:
        """See `Keyring.open`."""
        self._answer()
        key = self._accounts.get(account_id)
        if key is None:
            raise KeyGone
        return key

    async def destroy(self, account_id: AccountId) -> int:
        """See `Keyring.destroy`."""
        self._answer()
        return 0 if self._accounts.pop(account_id, None) is None else 1

    async def count(self, account_id: AccountId) -> int:
        """See `Keyring.count`."""
        self._answer()
        return int(account_id in self._accounts)

    async def system(self, purpose: str) -> bytes:
        """See `Keyring.system`."""
        self._answer()
        return self._systems.setdefault(purpose, urandom(32))

    def _answer(self) -> None:
        if self.outage:
            raise KeysUnavailable
