"""Use cases of accounts that nobody uses: found, warned twice, and deleted as if asked for, where a period is set."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from application.account_deletion import DeleteAccount
from application.ports.data_requests import DataRequests
from application.ports.directory import Directory
from application.ports.store import Store, Tx
from application.purge import Purge, PurgeResult, purge_each
from domain.accounts import NotDue, Unused, UnusedStep, cutoffs
from domain.kernel import AccountId
from domain.retention import Retention, RetentionRule

ROUND = timedelta(days=1)
"""How often each process goes through all accounts for those that nobody uses any more."""


@dataclass(slots=True)
class WatchUnusedAccounts(Purge):
    """Warns people whose account nobody uses, and in the end deletes it; nothing of it unless a period is set (T15).

    What counts as use is an open session, a subscription that is not over, a freeze, and an open request at the desk.
    """

    name: ClassVar[str] = "accounts_unused"

    store: Store
    directory: Directory
    data_requests: DataRequests
    delete_account: DeleteAccount
    retention: Retention
    round_began_at: datetime | None = field(default=None, init=False)
    """When this process began to go through all accounts last."""
    after: AccountId | None = field(default=None, init=False)
    """How far that has come; None where it is through."""
    stuck: set[AccountId] = field(default_factory=set, init=False, repr=False, compare=False)
    """Accounts whose step is due and fails: however many, others get their turn."""

    async def __call__(self, now: datetime, limit: int) -> PurgeResult:
        """Look at up to `limit` accounts, and take up to `limit` of each step that is due. Repeating is harmless."""
        rule = self.retention.unused_account
        if rule is None:
            return PurgeResult(0)
        noted = await purge_each(await self._found(now, limit), lambda one: self._note(one, now))
        before = {step: cutoffs(step, rule, now) for step in UnusedStep}
        due = await self.directory.unused_accounts_due(before, limit + len(self.stuck))
        self.stuck.intersection_update(due)

        async def take_step(account_id: AccountId) -> bool:
            self.stuck.add(account_id)
            taken = await self._take_step(account_id, rule, now)
            self.stuck.discard(account_id)
            return taken

        taken = await purge_each(due, take_step)
        return PurgeResult(taken.purged, noted.failed + taken.failed)

    async def _found(self, now: datetime, limit: int) -> list[AccountId]:
        """Return those of the next accounts in this round that nobody uses and of which that is not noted."""
        if self.after is None:
            if self.round_began_at is not None and now < self.round_began_at + ROUND:
                return []
            self.round_began_at = now
        page = await self.directory.accounts(self.after, limit)
        self.after = page[-1] if len(page) == limit else None
        return list(await self.directory.unused(page, now))

    async def _note(self, account_id: AccountId, now: datetime) -> bool:
        """Note that nobody uses it, from now on, and look once more: a sign-in may not have seen the note."""

        async def note(tx: Tx) -> None:
            account = await tx.accounts.get_even_broken()
            account.must_be_whole()
            if not await self._is_used(tx, now):
                account.note_unused(now)
                tx.save(account)

        await self.store.update(account_id, note)
        return await self._unused(account_id, now) is not None

    async def _unused(self, account_id: AccountId, now: datetime) -> Unused | None:
        """Return since when nobody uses it. Where somebody does after all, no warning counts any more."""
        asked = any(one.is_open for one in await self.data_requests.of(account_id))

        async def look(tx: Tx) -> Unused | None:
            account = await tx.accounts.get_even_broken()
            account.must_be_whole()
            if (asked or await self._is_used(tx, now)) and account.note_use():
                tx.save(account)
            return account.unused

        return await self.store.update(account_id, look)

    async def _is_used(self, tx: Tx, now: datetime) -> bool:
        account, subscription = await tx.accounts.get_even_broken(), await tx.subscriptions.find()
        sessions = await tx.sessions.list_open()
        paid = subscription is not None and not subscription.is_over
        return paid or not account.may_be_unused or any(not session.is_over(now) for session in sessions)

    async def _take_step(self, account_id: AccountId, rule: RetentionRule, now: datetime) -> bool:
        """Take the step that is due; tell whether one was. Raises SealBroken where nobody vouches for what is noted."""
        unused = await self._unused(account_id, now)
        step = None if unused is None else unused.due_step(rule, now)
        if step is None:
            return False

        async def still(tx: Tx) -> None:
            account = await tx.accounts.get_even_broken()
            if account.unused != unused or await self._is_used(tx, now):
                raise NotDue

        async def warn(tx: Tx) -> None:
            await still(tx)
            account = await tx.accounts.get()
            account.warn(step, now)
            tx.save(account)

        try:
            if step is UnusedStep.DELETE:
                await self.delete_account.note_and_commit(
                    account_id, self.retention.soft_deleted.ends(now), still
                )
            else:
                await self.store.update(account_id, warn)
        except NotDue:  # somebody signed in meanwhile
            return False
        return True
