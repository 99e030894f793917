"""Use cases of the freeze (Article 18 GDPR): everything is kept, and nothing is done with it."""

from __future__ import annotations

from dataclasses import dataclass

from application.lapsed_lines import settle_lines
from application.ports.clock import Clock
from application.ports.store import Store, Tx
from domain.accounts import Account, InboundChoice
from domain.billing import Offers
from domain.kernel import AccountId
from domain.retention import Retention


@dataclass(frozen=True, slots=True)
class ChangeRestriction:
    """Freezes an account or ends that, together with all its lines: none of them is left behind."""

    store: Store
    clock: Clock
    offers: Offers
    retention: Retention

    async def __call__(self, account_id: AccountId, inbound: InboundChoice | None) -> Account:
        """Return the account. Raises PendingDeletion. Repeating is harmless."""

        async def change(tx: Tx) -> Account:
            account, now = await tx.accounts.get(), self.clock.now()
            account.restrict(inbound, now)
            tx.save(account)
            await settle_lines(tx, account, await tx.subscriptions.find(), self.offers, self.retention, now)
            return account

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class RestrictAccount:
    """Freezes an account: nothing is sent or forwarded, no device is woken, no number is bought.

    It can still be read, corrected, exported and deleted, and its person stays signed in.
    """

    change: ChangeRestriction

    async def __call__(self, account_id: AccountId, inbound: InboundChoice) -> Account:
        """Return the account. What comes in is kept or refused, as `inbound` says. Raises PendingDeletion.

        Repeating is harmless; another choice takes the place of the one before.
        """
        return await self.change(account_id, inbound)


@dataclass(frozen=True, slots=True)
class LiftRestriction:
    """Ends a freeze: from now on everything is as it was before."""

    change: ChangeRestriction

    async def __call__(self, account_id: AccountId) -> Account:
        """Return the account. Raises PendingDeletion. Repeating is harmless."""
        return await self.change(account_id, None)
