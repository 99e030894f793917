"""Use cases of phone lines: find a number, lease it, name it, give it back."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from application.job_type import NOW, JobType, Provider
from application.lapsed_lines import follow_account
from application.line_check import CHECK_LINE, CheckLine
from application.line_purchase import CompletePurchase
from application.line_release import FINISH_RELEASE, FinishRelease
from application.paging import MOST, Page
from application.ports.carrier_errors import CarrierUnavailable
from application.ports.clock import Clock
from application.ports.directory import Directory
from application.ports.entitlements import Entitlements
from application.ports.ids import Ids, end_of
from application.ports.jobs import Job
from application.ports.numbering import NumberingPlan
from application.ports.numbers import AvailableNumber, NumberProvider
from application.ports.store import Store, Tx
from domain.billing import NotSubscribed, Offers
from domain.idempotency import Operation
from domain.kernel import AccountId, LineId
from domain.lines import (
    LineLost,
    LineOrdered,
    LineReleaseCancelled,
    LineResumed,
    LineState,
    NumberTaken,
    PhoneLine,
    PriceChanged,
)
from domain.money import Money
from domain.retention import Retention
from domain.values import Capability, Country, Label, PhoneNumber

OFFERS = 30
"""Numbers shown per search."""
COMPLETE_AFTER = timedelta(seconds=30)
"""A purchase is completed within the request; the job is for the times when that fails."""


@dataclass(frozen=True, slots=True)
class SearchNumbers:
    """Shows numbers on offer."""

    numbers: NumberProvider

    async def __call__(
        self,
        country: Country,
        area_code: str | None,
        contains: str | None,
        capabilities: frozenset[Capability],
    ) -> list[AvailableNumber]:
        """Return up to OFFERS numbers. Raises CarrierUnavailable. Repeating is harmless."""
        return await self.numbers.search(
            country, area_code=area_code, contains=contains, capabilities=capabilities, limit=OFFERS
        )


@dataclass(frozen=True, slots=True)
class Bought:
    """A line that was ordered, by this request or, if `repeated`, by an earlier one with the same key."""

    line: PhoneLine
    repeated: bool


@dataclass(frozen=True, slots=True)
class BuyLine:
    """Leases a number: intent first, then the carrier, so that no purchase is ever lost or made twice."""

    store: Store
    directory: Directory
    plan: NumberingPlan
    clock: Clock
    ids: Ids
    retention: Retention
    numbers: NumberProvider
    entitlements: Entitlements
    complete_purchase: CompletePurchase

    async def __call__(
        self,
        account_id: AccountId,
        number: PhoneNumber,
        label: Label | None,
        key: str,
        price: Money | None = None,
    ) -> Bought:
        """Return the line: active, or still ordering while the carrier has not decided (a job completes it).

        `price` is what the person was shown of a month, where they were. Raises NoCountry, NumberTaken,
        IdempotencyMismatch, PendingDeletion, AccountRestricted, and before the carrier is asked for the number
        CountryNotInPlan, LineLimitReached, PriceChanged. Repeating with the same key is harmless: it returns the line
        as it is now.
        """
        line, repeated = await self._intend(account_id, number, label, key, price)
        if line.is_ordering and not repeated:
            with suppress(CarrierUnavailable):
                line = await self.complete_purchase.now(account_id, line.id)
        if line.has_failed:
            raise NumberTaken
        return Bought(line, repeated=repeated)

    async def _intend(
        self, account_id: AccountId, number: PhoneNumber, label: Label | None, key: str, price: Money | None
    ) -> tuple[PhoneLine, bool]:
        """Commit the intent, or return what came of an earlier one with this key."""
        operation = Operation.requested("buy", key, number, label or "")
        country, plan = self.plan.country(number), await self.entitlements.plan(account_id)

        async def change(tx: Tx) -> tuple[PhoneLine, bool]:
            now = self.clock.now()
            account, earlier = await tx.accounts.get(), await tx.idempotency.earlier_result(operation)
            account.must_be_active()
            account.must_be_free()
            if earlier is not None:
                return await tx.lines.get(LineId(earlier.must_match())), True
            lines = await tx.lines.list_all()
            line = PhoneLine.order(
                account_id,
                LineId(self.ids.new(after=end_of(each.id for each in lines))),
                number=number,
                country=country,
                label=label,
                at=now,
            )
            plan.must_include(line.country)
            plan.must_allow(1 + sum(each.holds_number for each in lines))
            if price is not None and price != await self.numbers.price(line.country):
                raise PriceChanged
            if await self.directory.line(number, fresh=True) is not None:
                raise NumberTaken
            tx.require_unchanged(account)
            tx.save(line)
            tx.idempotent(operation, line.id, self.retention.idempotency.ends(now))
            return line, False

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class ListLines:
    """Pages through an account's lines, newest first."""

    store: Store

    async def __call__(
        self,
        account_id: AccountId,
        state: LineState | None = None,
        before: LineId | None = None,
        limit: int = MOST,
    ) -> Page[PhoneLine, LineId]:
        """Return a page of up to `limit`, of one state or of all. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            found = await tx.lines.page(state, before, limit + 1)
        items = found[:limit]
        return Page(items, items[-1].id if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class ReadLine:
    """Shows one line."""

    store: Store

    async def __call__(self, account_id: AccountId, line_id: LineId) -> PhoneLine:
        """Return it. Raises NotFound. Repeating is harmless."""
        async with self.store.begin(account_id) as tx:
            return await tx.lines.get_even_broken(line_id)


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """Gives a number up: the line refuses messages at once, and the number is kept for a while, to be taken back."""

    store: Store
    clock: Clock
    retention: Retention

    async def __call__(self, account_id: AccountId, line_id: LineId) -> PhoneLine:
        """Return the line. Raises NotFound, LineNotActive. Repeating is harmless."""

        async def change(tx: Tx) -> PhoneLine:
            line, now, kept = (
                await tx.lines.get_even_broken(line_id),
                self.clock.now(),
                self.retention.released_number,
            )
            if line.release(now, kept.ends(now)):
                tx.queue(Job(FINISH_RELEASE, account_id, line_id, kept.keep))
            tx.save(line)
            return line

        return await self.store.update(account_id, change)


@dataclass(frozen=True, slots=True)
class CancelRelease:
    """Takes a number back that was given up and is still kept."""

    store: Store
    offers: Offers
    clock: Clock

    async def __call__(self, account_id: AccountId, line_id: LineId) -> PhoneLine:
        """Return the line. Repeating is harmless.

        Raises NotFound, LineNotActive, PendingDeletion; NotSubscribed while nobody pays for it.
        """

        async def change(tx: Tx) -> PhoneLine:
            account, line = await tx.accounts.get(), await tx.lines.get(line_id)
            account.must_be_active()
            subscription, lines = await tx.subscriptions.find(), await tx.lines.list_all()
            held = sum(each.holds_number for each in lines)
            if self.offers.silences(subscription, held, self.clock.now()):
                raise NotSubscribed
            line.cancel_release(self.clock.now())
            if account.restriction is not None:
                follow_account(line, account, self.clock.now())
            tx.require_unchanged(account)
            tx.save(line)
            return line

        return await self.store.update(account_id, change)


JOBS = (
    JobType(
        "complete_purchase", CompletePurchase, after={LineOrdered: COMPLETE_AFTER}, asks=Provider.CARRIER
    ),
    JobType(
        CHECK_LINE, CheckLine, after={LineResumed: NOW, LineReleaseCancelled: NOW}, asks=Provider.CARRIER
    ),
    JobType(FINISH_RELEASE, FinishRelease, after={LineLost: NOW}, attempts=None, asks=Provider.CARRIER),
)
