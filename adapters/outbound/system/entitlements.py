"""What accounts are entitled to: one plan for everybody, or what each pays for."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from application.ports.clock import Clock
from application.ports.entitlements import Entitlements
from application.ports.store import Store
from domain.billing import Offers
from domain.entitlements import Plan
from domain.kernel import AccountId

LINES = 10


class FixedPlan(Entitlements):
    """`Entitlements` that are the same for every account."""

    def __init__(self, plan: Plan = Plan(LINES)) -> None:  # noqa: B008 - a frozen value
        """Entitle every account to `plan`."""
        self.every = plan

    @override
    async def plan(self, account_id: AccountId) -> Plan:
        return self.every


@dataclass(frozen=True, slots=True)
class SubscribedPlan(Entitlements):
    """`Entitlements` by what each account pays for, as its provider last said; without, what is free."""

    store: Store
    offers: Offers
    clock: Clock

    @override
    async def plan(self, account_id: AccountId) -> Plan:
        async with self.store.begin(account_id) as tx:
            subscription = await tx.subscriptions.find()
        return self.offers.entitled(subscription, self.clock.now())
