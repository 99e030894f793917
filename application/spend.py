"""Keeping to what may be spent. When nobody can say how much that is any more, nothing is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from application.ports.clock import Clock
from application.ports.limits import Charge, Limits
from application.ports.numbering import NumberingPlan
from domain.kernel import AccountId
from domain.limits import Limit
from domain.spend import (
    DestinationNotAllowed,
    PaidCall,
    SendingPaused,
    SpendLimited,
    SpendPolicy,
    neighbourhood,
)
from domain.values import Country, MessageBody, Peer, PhoneNumber

RESERVED = 50
"""Messages of everybody's limit that a process takes at a time, so that not all of them meet at one row."""


@dataclass(slots=True)
class Reserve:
    """What this process has taken of everybody's limit and not used yet."""

    left: int = 0


@dataclass(frozen=True, slots=True)
class Spend:
    """Asks, before a message is accepted and again before a carrier hears of it, whether it may be sent.

    All methods raise LimitsUnavailable: what costs money is refused while it cannot be counted.
    """

    limits: Limits
    plan: NumberingPlan
    policy: SpendPolicy
    clock: Clock
    reserve: Reserve = field(default_factory=Reserve, init=False)

    async def take(
        self, account_id: AccountId, home: Country, to: Peer, body: MessageBody, pictures: int = 0
    ) -> None:
        """Take what a message from a line of `home` costs. Raises DestinationNotAllowed, SpendLimited.

        Repeating takes again.
        """
        await self.of_message(account_id, home, to, body, pictures).take()

    def of_message(
        self, account_id: AccountId, home: Country, to: Peer, body: MessageBody, pictures: int = 0
    ) -> Charge:
        """Return what a message from a line of `home` costs, to be taken. Raises DestinationNotAllowed."""
        country, now = self._allowed(home, to), self.clock.now()
        limit, cost = self.policy.limit_of(account_id, now), self.policy.cost(body, country, pictures)
        return self._charge(account_id, limit, now, cost)

    def of_scheduled(self, account_id: AccountId, home: Country, to: Peer) -> Charge:
        """Return the place of a message that is to be paid when its time comes. Raises DestinationNotAllowed."""
        self._allowed(home, to)
        return self._charge(account_id, self.policy.of_scheduling, self.clock.now(), 1)

    def _charge(self, account_id: AccountId, limit: Limit, now: datetime, cost: int) -> Charge:
        return Charge(
            limits=self.limits, limit=limit, of=str(account_id), at=now, cost=cost, refusal=SpendLimited
        )

    async def take_call(
        self,
        account_id: AccountId,
        home: Country,
        to: PhoneNumber,
        *,
        already: int = 0,
        at_most: timedelta | None = None,
    ) -> PaidCall:
        """Take what a call from a line of `home` may cost, and a place for it at the carrier.

        `at_most` is how long it can last, where that is known. What was taken for it `already` is enough.

        Raises DestinationNotAllowed, SpendLimited, SendingPaused.
        """
        country, now = self._allowed(home, Peer(to)), self.clock.now()
        limit = self.policy.limit_of(account_id, now)
        longest = self.policy.longest_call(country, limit)
        if at_most is not None:
            longest = min(longest, at_most)
        if already:
            return PaidCall(longest, 0)
        cost = self.policy.cost_of_call(country, int(longest.total_seconds()))
        taking = await self.limits.take(limit, str(account_id), now, cost)
        if taking.wait is not None:
            raise SpendLimited(limit, taking.wait)
        try:
            await self.pass_on(Peer(to))
        except SendingPaused:
            await self.limits.give_back(limit, str(account_id), now, cost)
            raise
        return PaidCall(longest, cost)

    async def give_back(
        self, account_id: AccountId, to: PhoneNumber | None, seconds: int, taken: int
    ) -> None:
        """Give back what was taken for a call and not used: all but its minutes."""
        country = None if to is None else self.plan.country(to)
        used = 0 if country is None or not seconds else self.policy.cost_of_call(country, seconds)
        if taken > used:
            now = self.clock.now()
            limit = self.policy.limit_of(account_id, now)
            await self.limits.give_back(limit, str(account_id), now, taken - used)

    def allows(self, home: Country, to: Peer) -> bool:
        """Tell whether messages go there, as the policy is now."""
        try:
            self._allowed(home, to)
        except DestinationNotAllowed:
            return False
        return True

    async def pass_on(self, to: Peer) -> None:
        """Take a place for a message that a carrier is about to get. Raises SendingPaused."""
        await self._take(self.policy.of_a_neighbourhood, neighbourhood(to))
        if not self.reserve.left:
            await self._take(self.policy.of_everybody, "", RESERVED)
            self.reserve.left += RESERVED
        self.reserve.left -= 1

    async def _take(self, limit: Limit, of: str, cost: int = 1) -> None:
        taking = await self.limits.take(limit, of, self.clock.now(), cost)
        if taking.wait is not None:
            paused = SendingPaused()
            paused.retry_after = taking.wait
            raise paused

    def _allowed(self, home: Country, to: Peer) -> Country:
        """Return where a message goes: to the line's country for a short code. Raises DestinationNotAllowed."""
        country = self.plan.country(PhoneNumber(to)) if to.startswith("+") else home
        self.policy.must_allow(to, country)
        if country is None:
            raise DestinationNotAllowed
        return country
