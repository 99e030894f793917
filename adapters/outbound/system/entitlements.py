"""One plan for everybody."""

from __future__ import annotations

from typing_extensions import override

from application.ports.entitlements import Entitlements
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
