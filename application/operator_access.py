"""The use cases of operators' access: each leaves an entry in the audit log before anything is read or done."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from application.credentials import DECOY
from application.paging import MOST, Page
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.keyring import Keyring
from application.ports.store import Store, Tx
from domain.accounts import Account, AccountState
from domain.audit import HOUSE, AuditEntry, AuditKind
from domain.kernel import AccountId, AuditId, NotFound


@dataclass(frozen=True, slots=True)
class NoteOperatorAccess:
    """Puts on the audit log what an operator is about to do: in the account's own log, or in the house's."""

    store: Store
    keyring: Keyring
    clock: Clock

    async def __call__(self, kind: AuditKind, account_id: AccountId | None = None) -> None:
        """Note it. Raises NotFound and KeyGone for an account that there is not. Repeating notes it again."""
        if account_id is None:
            await self.keyring.create(HOUSE)
        owner = account_id or HOUSE

        async def change(tx: Tx) -> None:
            now = self.clock.now()
            try:
                await tx.accounts.get_even_broken()
            except NotFound:
                if account_id is not None:
                    raise
                tx.save(Account.decoy(HOUSE, now))
            tx.note(kind, owner, now)

        await self.store.update(owner, change)


@dataclass(frozen=True, slots=True)
class ListOperatorAccess:
    """Shows what operators did that is about no account; what they did to one is in that account's own log."""

    store: Store
    keyring: Keyring

    async def __call__(self, before: AuditId | None = None, limit: int = MOST) -> Page[AuditEntry, AuditId]:
        """Return a page, newest first. Repeating is harmless."""
        await self.keyring.create(HOUSE)
        async with self.store.begin(HOUSE) as tx:
            found = await tx.audit_entries.page(before, limit + 1)
        return Page(found[:limit], found[limit - 1].id if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class CountAccounts:
    """Says how many accounts there are in each state, and nothing of any."""

    directory: Directory

    async def __call__(self) -> Mapping[AccountState, int]:
        """Return the count of every state. Repeating is harmless."""
        found = dict(await self.directory.count_by_state())
        for nobody in (DECOY, HOUSE):
            with suppress(KeyError):
                found[AccountState.ERASING] -= nobody not in await self.directory.unknown([nobody])
        return {state: found.get(state, 0) for state in AccountState}
