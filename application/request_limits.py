"""Limiting how often somebody asks. What costs money is refused while nobody can count it, and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.limits import Limits
from domain.kernel import AccountId
from domain.limits import Limit
from domain.requests import Pace, RequestPolicy, TooManyRequests


@dataclass(frozen=True, slots=True)
class LimitRequests:
    """Counts requests: those that cost nothing `here`, in this process; those that cost money with all processes.

    Who a client is never leaves the process, nor what an ordinary request costs: neither asks anybody.
    """

    here: Limits
    limits: Limits
    clock: Clock
    policy: RequestPolicy

    async def of_client(self, client: str, pace: Pace, *, signed_in: bool) -> None:
        """Count a request of whoever has an address, by the name that this process has for it. Raises TooManyRequests.

        Without a name it is nobody's: there is no proxy that says who is calling.
        """
        if not client:
            return
        await self._take(self.here, self.policy.of_a_client, client)
        if pace is Pace.SIGN_UP:
            await self._take(self.here, self.policy.sign_ups_of_a_client, client)
        elif pace is Pace.HEAVY and not signed_in:
            await self._take(self.here, self.policy.heavy, client)

    async def of_account(self, account_id: AccountId, pace: Pace) -> None:
        """Count a request of an account. Raises TooManyRequests."""
        await self._take(self.here, self.policy.of_an_account, str(account_id))
        if pace is Pace.HEAVY:
            await self._take(self.here, self.policy.heavy, str(account_id))

    async def of_what_costs(self, account_id: AccountId, pace: Pace) -> None:
        """Count what costs money, if this does. Raises TooManyRequests, LimitsUnavailable."""
        if pace is Pace.PURCHASE:
            await self._take(self.limits, self.policy.purchases, str(account_id))
        elif pace is Pace.SIGN_UP:
            await self._take(self.limits, self.policy.sign_ups, "")

    async def _take(self, limits: Limits, limit: Limit, of: str) -> None:
        taking = await limits.take(limit, of, self.clock.now())
        if taking.wait is not None:
            raise TooManyRequests(limit, taking.wait)
