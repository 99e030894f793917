"""A payment provider in memory: it bills by the clock, whoever asks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from typing_extensions import override

from application.ports.payments import Page, PaymentHint, PaymentRefused, Payments, PaymentsUnavailable
from domain.billing import CHARGED, PayerRef, PlanName, PlanNotOffered, Seen, SubscriptionState
from domain.kernel import AccountId

PERIOD = timedelta(days=30)
DRAFT = timedelta(hours=1)
"""After a period's end, until the next invoice is finalised."""
RETRIES = timedelta(days=14)
"""After which a subscription that nobody pays ends."""
PAGE_LIVES = timedelta(days=1)
SOLD = frozenset({PlanName.BASIC, PlanName.PLUS})


@dataclass
class Bill:
    """An invoice. Once it is finalised it is owed."""

    payer: PayerRef
    drafted_at: datetime
    finalised_at: datetime | None = None
    paid: bool = False
    halted: bool = False


@dataclass
class Bought:
    """A subscription. `stopped`: its renewal was stopped by `stop_renewal`."""

    plan: PlanName
    period_ends_at: datetime
    state: SubscriptionState = SubscriptionState.ACTIVE
    ends: bool = False
    stopped: bool = False
    past_due_since: datetime | None = None


@dataclass
class Payer:
    """Somebody who pays. `declines`: their card is refused."""

    account_id: AccountId
    made_at: datetime
    deleted: bool = False
    declines: bool = False
    pages: dict[UUID, tuple[PlanName, Page]] = field(default_factory=dict)
    open_page: UUID | None = None
    bought: list[Bought] = field(default_factory=list)


class MemoryPayments(Payments):
    """`Payments` in dictionaries. Knobs: `outage`; `lost_answers` counts writes whose answer never comes.

    `buy`, `end` and `decline` are what the person does on the provider's pages. `bills` is every invoice there ever
    was, `calls` what was asked of us.
    """

    def __init__(self, now: Callable[[], datetime], plans: frozenset[PlanName] = SOLD) -> None:
        self.outage = False
        self.lost_answers = 0
        self.payers: dict[PayerRef, Payer] = {}
        self.bills: list[Bill] = []
        self.events: list[PaymentHint] = []
        self.calls: list[str] = []
        self.next_refs: Iterator[str] = (f"cus_memory{number}" for number in range(1, 10**9))
        self._now, self._plans = now, plans
        self._done: dict[UUID, object] = {}

    def buy(self, payer: PayerRef) -> None:
        """Buy what the open page offers. Raises LookupError where there is none."""
        self._bill()
        known = self.payers[payer]
        if self.outage or known.open_page is None or known.deleted:
            raise LookupError
        plan, page = known.pages[known.open_page]
        if page.ends_at is None or page.ends_at <= self._now():
            raise LookupError
        known.open_page = None
        state = SubscriptionState.INCOMPLETE if known.declines else SubscriptionState.ACTIVE
        known.bought.append(Bought(plan, self._now() + PERIOD, state))
        self.bills.append(Bill(payer, self._now(), self._now(), paid=not known.declines))
        self._tell(payer)

    def end(self, payer: PayerRef, *, ends: bool = True) -> None:
        """Have what is bought end with its period, or go on after all."""
        self._bill()
        for bought in self.payers[payer].bought:
            bought.ends = ends
            bought.stopped = bought.stopped and ends
        self._tell(payer)

    def decline(self, payer: PayerRef, *, declines: bool = True) -> None:
        """Have the card be refused from now on, or taken again: then what is owed is paid at once."""
        self._bill()
        known = self.payers[payer]
        known.declines = declines
        if not declines:
            for bill in self.bills:
                if bill.payer == payer and bill.finalised_at and not bill.halted:
                    bill.paid = True
            for bought in known.bought:
                if bought.state is SubscriptionState.PAST_DUE:
                    bought.state, bought.past_due_since = SubscriptionState.ACTIVE, None
        self._tell(payer)

    @override
    async def make_payer(self, account_id: AccountId, key: UUID) -> PayerRef:
        self._answer("make_payer")
        if key not in self._done:
            ref = PayerRef(next(self.next_refs))
            self.payers[ref] = Payer(account_id, self._now())
            self._done[key] = ref
        self._lose()
        return PayerRef(str(self._done[key]))

    @override
    async def find_payers(self, account_id: AccountId, since: datetime) -> list[PayerRef]:
        self._answer("find_payers")
        return [
            ref
            for ref, payer in self.payers.items()
            if payer.account_id == account_id and payer.made_at >= since and not payer.deleted
        ]

    @override
    async def open_checkout(self, payer: PayerRef, account_id: AccountId, plan: PlanName, key: UUID) -> Page:
        self._answer("open_checkout")
        if plan not in self._plans:
            raise PlanNotOffered
        known = self._known(payer)
        if key not in known.pages:
            page = Page(f"https://pay.example/{key}", self._now() + PAGE_LIVES)
            known.pages[key], known.open_page = (plan, page), key
        self._lose()
        return known.pages[key][1]

    @override
    async def close_checkouts(self, payer: PayerRef) -> None:
        self._answer("close_checkouts")
        if payer in self.payers:
            self.payers[payer].open_page = None

    @override
    async def open_portal(self, payer: PayerRef) -> Page:
        self._answer("open_portal")
        self._known(payer)
        return Page("https://pay.example/portal")

    @override
    async def change_plan(self, payer: PayerRef, plan: PlanName, key: UUID) -> None:
        self._answer("change_plan")
        if plan not in self._plans:
            raise PlanNotOffered
        living = self._living(payer)
        if not living:
            raise PaymentRefused
        if key not in self._done:
            self._done[key] = living[0].plan = plan
            self.bills.append(Bill(payer, self._now(), self._now(), paid=True))
            self._tell(payer)
        self._lose()

    @override
    async def fetch(self, payer: PayerRef) -> Seen:
        self._answer("fetch")
        known = self.payers.get(payer)
        if known is None or not known.bought:
            return Seen()
        best = next(iter(self._living(payer)), known.bought[-1])
        return Seen(
            best.state, best.plan, best.period_ends_at, best.period_ends_at if best.ends else None,
            stopped=best.stopped, doubled=sum(not each.ends for each in self._living(payer)) > 1,
        )  # fmt: skip

    @override
    async def stop_renewal(self, payer: PayerRef) -> None:
        self._answer("stop_renewal")
        if payer in self.payers:
            self.payers[payer].open_page = None
        for bought in self._living(payer):
            if not bought.ends:
                bought.ends = bought.stopped = True
                self._tell(payer)
        for bill in self._owed(payer):
            bill.halted = True
        self._lose()

    @override
    async def restore_renewal(self, payer: PayerRef) -> None:
        self._answer("restore_renewal")
        for bought in self._living(payer):
            if bought.stopped:
                bought.ends = bought.stopped = False
                self._tell(payer)
        for bill in self._owed(payer):
            bill.halted = False
        self._lose()

    @override
    async def end_doubles(self, payer: PayerRef) -> None:
        self._answer("end_doubles")
        for bought in self._living(payer)[1:]:
            bought.ends = True
            self._tell(payer)
        self._lose()

    @override
    async def cancel(self, payer: PayerRef) -> None:
        self._answer("cancel")
        for bought in self._living(payer):
            bought.state = SubscriptionState.ENDED
            self._tell(payer)
        for bill in self._owed(payer):
            bill.halted = True
        self._lose()

    @override
    async def charges(self, payer: PayerRef) -> bool:
        self._answer("charges")
        return bool(self._living(payer))

    @override
    async def delete_payer(self, payer: PayerRef) -> None:
        self._answer("delete_payer")
        await self.cancel(payer)
        if payer in self.payers:
            self.payers[payer].deleted = True
        self._lose()

    @override
    async def holds_payer(self, payer: PayerRef) -> bool:
        self._answer("holds_payer")
        return payer in self.payers and not self.payers[payer].deleted

    @override
    async def hints(self, since: datetime) -> AsyncGenerator[PaymentHint, None]:
        self._answer("hints")
        for event in list(self.events):
            if event.at >= since:
                yield event

    def _known(self, payer: PayerRef) -> Payer:
        if payer not in self.payers or self.payers[payer].deleted:
            raise PaymentRefused
        return self.payers[payer]

    def _living(self, payer: PayerRef) -> list[Bought]:
        known = self.payers.get(payer)
        return [] if known is None else [each for each in known.bought if each.state in CHARGED]

    def _owed(self, payer: PayerRef) -> list[Bill]:
        return [bill for bill in self.bills if bill.payer == payer and not bill.paid]

    def _answer(self, call: str) -> None:
        self.calls.append(call)
        self._bill()
        if self.outage:
            raise PaymentsUnavailable

    def _lose(self) -> None:
        if self.lost_answers:
            self.lost_answers -= 1
            raise PaymentsUnavailable

    def _tell(self, payer: PayerRef) -> None:
        self.events.append(PaymentHint(f"evt_memory{len(self.events)}", payer, self._now()))

    def _bill(self) -> None:
        """Let happen what time has brought."""
        for payer in self.payers:
            for bought in self._living(payer):
                self._grow_older(payer, bought)
        for bill in self.bills:
            at = bill.drafted_at + DRAFT
            if bill.finalised_at is None and not bill.halted and at <= self._now():
                bill.finalised_at = at
                self._charge(bill)

    def _grow_older(self, payer: PayerRef, bought: Bought) -> None:
        now = self._now()
        if bought.state is SubscriptionState.INCOMPLETE:
            if now >= bought.period_ends_at - PERIOD + timedelta(hours=23):
                bought.state = SubscriptionState.ENDED
            return
        while bought.state in CHARGED and bought.period_ends_at <= now:
            if bought.ends:
                bought.state = SubscriptionState.ENDED
            else:
                self.bills.append(Bill(payer, bought.period_ends_at))
                bought.period_ends_at += PERIOD
            self._tell(payer)
        since = bought.past_due_since
        if since is not None and bought.state in CHARGED and since + RETRIES <= now:
            bought.state = SubscriptionState.ENDED
            self._tell(payer)

    def _charge(self, bill: Bill) -> None:
        known = self.payers[bill.payer]
        bill.paid = not known.declines
        for bought in self._living(bill.payer):
            if not bill.paid and bought.state is SubscriptionState.ACTIVE:
                bought.state, bought.past_due_since = SubscriptionState.PAST_DUE, bill.finalised_at
                self._tell(bill.payer)
