"""The directory of the memory store."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import cast

from typing_extensions import override

from adapters.outbound.memory.rows import A
from adapters.outbound.memory.store import MemoryStore
from application.ports.directory import Directory, Lease, OpenSession
from domain.accounts import Account, AccountState, Cutoffs, UnusedStep
from domain.billing import BuyerToken, PayerRef, Subscription
from domain.exports import Export, ExportPart
from domain.kernel import AccountId, ExportId, LineId
from domain.push import DeviceToken, PushTokenId
from domain.sessions import Session
from domain.values import SignUpPlace


class MemoryDirectory(Directory):
    """`Directory` over a memory store, sharing its outages. It remembers nothing, so every answer is fresh."""

    def __init__(self, store: MemoryStore) -> None:
        """Look into `store`."""
        self._store = store

    @override
    async def account_by_email(self, canonical: str) -> AccountId | None:
        await self._store.answer()
        found = self._store.claims.get(("address", canonical))
        return found and found[0]

    @override
    async def sign_ups(self, places: Sequence[SignUpPlace]) -> Sequence[AccountId | None]:
        await self._store.answer()
        held = (self._store.claims.get(("place", place)) for place in places)
        return [found and found[0] for found in held]

    @override
    async def session(self, token: str) -> OpenSession | None:
        await self._store.answer()
        found = self._store.claims.get(("token", token))
        if found is None:
            return None
        rows = self._store.rows(found[0])
        (account,) = cast("Iterable[Account]", rows[Account].values())
        session = cast("Session", rows[Session][found[1]])
        opened = OpenSession(account.id, session.id, session.created_at, session.ends_at)
        return opened if account.is_active else None

    @override
    async def push_token(self, token: DeviceToken) -> tuple[AccountId, PushTokenId] | None:
        await self._store.answer()
        found = self._store.claims.get(("push token", token))
        return found and (found[0], PushTokenId(found[1]))

    @override
    async def payer(self, payer: PayerRef) -> AccountId | None:
        await self._store.answer()
        found = self._store.claims.get(("payer", payer))
        return found and found[0]

    @override
    async def buyer(self, buyer: BuyerToken) -> AccountId | None:
        await self._store.answer()
        found = self._store.claims.get(("buyer", buyer))
        return found and found[0]

    @override
    async def line(self, number: str, *, fresh: bool = False) -> Lease | None:
        await self._store.answer()
        found = self._store.claims.get(("number", number))
        return found and Lease(found[0], LineId(found[1]))

    @override
    async def leases(self) -> AsyncGenerator[Lease, None]:
        await self._store.answer()
        for (kind, *_), (account_id, line_id) in list(self._store.claims.items()):
            if kind == "number":
                yield Lease(account_id, LineId(line_id))

    @override
    async def accounts_to_erase(
        self, due_before: datetime, unverified_before: datetime, limit: int
    ) -> Sequence[AccountId]:
        await self._store.answer()
        due = [
            (account.erase_at - due_before, account.id)
            for account in self._every(Account)
            if account.state is AccountState.PENDING_DELETION
            and account.erase_at is not None
            and account.erase_at <= due_before
        ]
        due += [
            (account.created_at - unverified_before, account.id)
            for account in self._every(Account)
            if account.is_unverified and account.created_at <= unverified_before
        ]
        return [account_id for _, account_id in sorted(due)][:limit]

    @override
    async def accounts(self, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        await self._store.answer()
        every = sorted(account.id for account in self._every(Account))
        return [each for each in every if after is None or each > after][:limit]

    @override
    async def count_by_state(self) -> Mapping[AccountState, int]:
        await self._store.answer()
        return Counter(account.state for account in self._every(Account))

    @override
    async def unknown(self, accounts: Sequence[AccountId]) -> Sequence[AccountId]:
        await self._store.answer()
        known = {account.id for account in self._every(Account)}
        return [account_id for account_id in accounts if account_id not in known]

    @override
    async def unused(self, accounts: Sequence[AccountId], now: datetime) -> Sequence[AccountId]:
        await self._store.answer()
        used = {session.account_id for session in self._every(Session) if not session.is_over(now)}
        used |= {each.account_id for each in self._every(Subscription) if not each.is_over}
        found = {each.id for each in self._every(Account) if each.may_be_unused and each.unused is None}
        return [account_id for account_id in accounts if account_id in found - used]

    @override
    async def unused_accounts_due(self, due: Mapping[UnusedStep, Cutoffs], limit: int) -> Sequence[AccountId]:
        await self._store.answer()
        noted = [(each.unused, each.id) for each in self._every(Account) if each.is_active]
        found = list[AccountId]()
        for step, before in due.items():
            of_step = [
                (unused.since, account_id)
                for unused, account_id in noted
                if unused is not None and unused.next_step is step and unused.is_before(before)
            ]
            found += [account_id for _, account_id in sorted(of_step)[:limit]]
        return found

    @override
    async def exports_to_expire(
        self, due_before: datetime, limit: int
    ) -> Sequence[tuple[AccountId, ExportId]]:
        await self._store.answer()
        kept = {part.export_id for part in self._every(ExportPart)}
        late = (e for e in self._every(Export) if e.expires_at is not None and e.expires_at <= due_before)
        due = (e for e in late if e.is_building or e.id in kept)
        return [(export.account_id, export.id) for export in islice(due, limit)]

    def _every(self, of: type[A]) -> Iterator[A]:
        for rows in self._store.accounts.values():
            yield from cast("Iterable[A]", rows[of].values())
