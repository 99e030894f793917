"""Steps of erasure: nothing is charged any more, and the payment provider forgets the payer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from application.erasure_step import ErasureStep
from application.hold import Hold
from application.payers import payers_of
from application.ports.payments import Payments
from application.ports.store import Store
from application.residue import ClearResidue
from domain.billing import PayerRef
from domain.erasure import NO_COUNTS, Erasure
from domain.kernel import AccountId
from domain.residue import Residue


@dataclass(frozen=True, slots=True)
class CancelSubscription(ErasureStep):
    """Erasure: whatever the account pays for ends, first of all."""

    name: ClassVar[str] = "subscription"
    needs_keys: ClassVar[bool] = True

    store: Store
    payments: Payments
    clear_residue: ClearResidue

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Cancel, and ask for it. Raises NotYetGone, PaymentsUnavailable. Repeating is harmless.

        `subscriptions_in_stores` counts one that was bought in an app store: only its person can end it there.
        """
        account_id = erasure.account_id
        found = await every_payer(self.store, self.payments, account_id)
        await self.store.add_residue([Residue.subscription(account_id, payer) for payer in found])
        await self.clear_residue(erasure, hold)
        async with self.store.begin(account_id) as tx:
            subscription = await tx.subscriptions.find()
        in_store = subscription is not None and subscription.is_bought_in_store
        return {"subscriptions_in_stores": 1} if in_store else NO_COUNTS


@dataclass(frozen=True, slots=True)
class DeletePayer(ErasureStep):
    """Erasure: the payment provider forgets the payer and how they paid. Invoices it keeps, as the law demands."""

    name: ClassVar[str] = "payer"
    needs_keys: ClassVar[bool] = True

    store: Store
    payments: Payments
    clear_residue: ClearResidue

    async def run(self, erasure: Erasure, hold: Hold) -> Mapping[str, int]:
        """Delete the payer, and ask for it. Raises NotYetGone, PaymentsUnavailable. Repeating is harmless."""
        account_id = erasure.account_id
        found = await every_payer(self.store, self.payments, account_id)
        await self.store.add_residue([Residue.payer(account_id, payer) for payer in found])
        await self.clear_residue(erasure, hold)
        return NO_COUNTS


async def every_payer(store: Store, payments: Payments, account_id: AccountId) -> list[PayerRef]:
    """Return every payer of an account that is being erased. Raises PaymentsUnavailable."""
    async with store.begin(account_id) as tx:
        account, subscription = await tx.accounts.get_even_broken(), await tx.subscriptions.find()
    return await payers_of(payments, subscription, account.created_at)
