"""The directory of the memory store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import cast

from adapters.outbound.memory.store import MemoryStore
from adapters.outbound.memory.tx import A
from domain.accounts import Account, AccountState
from domain.exports import Export, ExportPart, ExportState
from domain.kernel import AccountId, ExportId, LineId, SessionId
from domain.sessions import Session


class MemoryDirectory:
    """`Directory` over a memory store, sharing its outages. It remembers nothing, so it has nothing to forget."""

    def __init__(self, store: MemoryStore) -> None:
        """Look into `store`."""
        self._store = store

    async def account_by_email(self, canonical: str) -> AccountId | None:
        """See `Directory.account_by_email`."""
        await self._store.answer()
        found = self._store.claims.get(("address", canonical))
        return found and found[0]

    async def session(self, token: str) -> tuple[AccountId, SessionId] | None:
        """See `Directory.session`."""
        await self._store.answer()
        found = self._store.claims.get(("token", token))
        if found is None:
            return None
        rows = self._store.rows(found[0])
        session = cast("Session", rows[Session][found[1]])
        (account,) = cast("Iterable[Account]", rows[Account].values())
        open_now = session.revoked_at is None and account.state is AccountState.ACTIVE
        return (found[0], session.id) if open_now else None

    async def line(self, number: str) -> tuple[AccountId, LineId] | None:
        """See `Directory.line`."""
        await self._store.answer()
        found = self._store.claims.get(("number", number))
        return found and (found[0], LineId(found[1]))

    def forget_line(self, number: str) -> None:
        """See `Directory.forget_line`."""

    async def accounts_to_erase(
        self, due_before: datetime, unverified_before: datetime, limit: int
    ) -> Sequence[AccountId]:
        """See `Directory.accounts_to_erase`."""
        await self._store.answer()
        begun = (a.id for a in self._every(Account) if a.state is AccountState.ERASING)
        due = (a.id for a in self._every(Account) if a.erase_at is not None and a.erase_at <= due_before)
        unverified = (
            a.id
            for a in self._every(Account)
            if a.state is AccountState.UNVERIFIED and a.created_at <= unverified_before
        )
        return list(dict.fromkeys([*self._store.erasures, *begun, *due, *unverified]))[:limit]

    async def exports_to_expire(
        self, due_before: datetime, limit: int
    ) -> Sequence[tuple[AccountId, ExportId]]:
        """See `Directory.exports_to_expire`."""
        await self._store.answer()
        kept = {part.export_id for part in self._every(ExportPart)}
        late = (e for e in self._every(Export) if e.expires_at is not None and e.expires_at <= due_before)
        due = (e for e in late if e.state is ExportState.BUILDING or e.id in kept)
        return [(export.account_id, export.id) for export in islice(due, limit)]

    def _every(self, of: type[A]) -> Iterator[A]:
        for rows in self._store.accounts.values():
            yield from cast("Iterable[A]", rows[of].values())
