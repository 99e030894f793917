"""Laws of billing, over all orders of deleting, recovering, buying, failing, hints and outages."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from application.renewal import SettleRenewal
from bootstrap.worlds import InMemory
from domain.billing import LAPSE, Offer, Offers, PayerRef, PlanName, Seen, SubscriptionState
from domain.entitlements import Plan
from domain.kernel import PicoError
from domain.money import Money
from tests.support.actors import PASSWORD, Person, sign_up

OFFERS = Offers(
    {
        PlanName.BASIC: Offer(PlanName.BASIC, Money(499, "USD"), Plan(1)),
        PlanName.PLUS: Offer(PlanName.PLUS, Money(1299, "USD"), Plan(3)),
    }
)
HOUR = timedelta(hours=1)
QUIET = timedelta(hours=8)
"""After an outage a job that was put off comes back within this."""
ACTS = (
    "checkout", "buy", "end", "resume", "decline", "pay", "delete", "recover", "hints", "some hints", "outage", "lose",
    "wait an hour", "wait days", "wait a period", "change", "sweep",
)  # fmt: skip


class Life:
    """One account and its provider; notes every invoice that is finalised while the account is deleted."""

    def __init__(self, seed: int) -> None:
        self.world = InMemory(offers=OFFERS)
        self.random = random.Random(seed)
        self.deleted = False
        self.told = False
        """Whether the provider could be told that the account is deleted."""
        self.charged_after: list[datetime] = []
        self.seen_bills = 0
        self.keys = 0

    async def begin(self) -> None:
        self.ada: Person = await sign_up(self.world)

    @property
    def payer(self) -> PayerRef | None:
        return next(iter(self.world.payments.payers), None)

    def look(self) -> None:
        """Have the provider bill, and look at what is new."""
        self.world.payments._bill()
        final = [bill for bill in self.world.payments.bills if bill.finalised_at is not None]
        if self.deleted and self.told:
            self.charged_after += [bill.finalised_at or bill.drafted_at for bill in final[self.seen_bills :]]
        self.seen_bills = len(final)

    async def act(self, act: str) -> None:
        self.look()
        with suppress(PicoError, LookupError):  # what is not possible now is not done
            await getattr(self, act.replace(" ", "_"))()
        self.look()

    def key(self) -> str:
        self.keys += 1
        return str(self.keys)

    async def checkout(self) -> None:
        await self.world.use_cases.open_checkout(self.ada.id, PlanName.BASIC, self.key())

    async def buy(self) -> None:
        if self.payer:
            self.world.payments.buy(self.payer)

    async def end(self) -> None:
        if self.payer:
            self.world.payments.end(self.payer)

    async def resume(self) -> None:
        """Have it go on after all, in a portal; that of a deleted account is stopped again once we hear of it."""
        if self.payer and not self.deleted:
            self.world.payments.end(self.payer, ends=False)

    async def decline(self) -> None:
        if self.payer:
            self.world.payments.decline(self.payer)

    async def pay(self) -> None:
        if self.payer:
            self.world.payments.decline(self.payer, declines=False)

    async def delete(self) -> None:
        await self.world.use_cases.delete_account(self.ada.id, PASSWORD)
        if not self.deleted:
            self.deleted, self.told = True, not self.world.payments.outage and not self.lost
        self.look()

    @property
    def lost(self) -> int:
        return self.world.payments.lost_answers

    async def recover(self) -> None:
        await self.world.use_cases.recover_account(self.ada.email, PASSWORD)
        self.deleted = self.told = False

    async def hints(self) -> None:
        for hint in self.random.sample(self.world.payments.events, len(self.world.payments.events)) * 2:
            await self.world.use_cases.receive_payment_hint(hint)
        await self.world.settle()

    async def some_hints(self) -> None:
        events = self.world.payments.events
        for hint in self.random.sample(events, len(events) // 2):
            await self.world.use_cases.receive_payment_hint(hint)

    async def outage(self) -> None:
        self.world.payments.outage = not self.world.payments.outage

    async def lose(self) -> None:
        self.world.payments.lost_answers = self.random.randint(1, 3)

    async def wait(self, by: timedelta) -> None:
        """Let time pass, with the provider there: what cannot be told cannot be heeded."""
        if self.world.payments.outage or self.lost or not self.told:
            self.world.payments.outage = False
            self.world.payments.lost_answers = 0
            await self.world.advance(QUIET)
            self.look()
            self.told = True
        while by > timedelta():
            await self.world.advance(min(by, QUIET))
            by -= QUIET
            self.look()

    async def wait_an_hour(self) -> None:
        await self.wait(HOUR)

    async def wait_days(self) -> None:
        await self.wait(timedelta(days=self.random.randint(1, 6)))

    async def wait_a_period(self) -> None:
        if not self.deleted:
            await self.wait(timedelta(days=29, hours=self.random.randint(0, 48)))

    async def change(self) -> None:
        await self.world.use_cases.change_plan(self.ada.id, PlanName.PLUS, self.key())

    async def sweep(self) -> None:
        await self.world.use_cases.sweep()
        await self.world.settle()

    async def must_agree(self) -> None:
        """Compare what the account is entitled to with what the provider answers, once it could be asked."""
        self.world.payments.outage, self.world.payments.lost_answers = False, 0
        await self.world.advance(QUIET)
        await self.hints()
        if self.payer is None:
            return
        truth = await self.world.payments.fetch(self.payer)
        paid = await self.world.use_cases.read_subscription(self.ada.id)
        held = paid.subscription
        assert (held.state, held.period_ends_at, held.ends_at) == (
            truth.state, truth.period_ends_at, truth.ends_at,
        )  # fmt: skip
        assert paid.entitled == self.owed(truth, held.past_due_since)
        assert (await self.world.entitlements.plan(self.ada.id)) == paid.entitled
        if truth.renews:
            assert not self.deleted, "what is deleted is not renewed"
        assert truth.stopped <= self.deleted, "what is recovered is renewed again"

    def owed(self, truth: Seen, since: datetime | None) -> Plan:
        """Return what the truth entitles to."""
        pays = truth.state is SubscriptionState.ACTIVE or (
            truth.state is SubscriptionState.PAST_DUE
            and since is not None
            and self.world.clock.now() < since + LAPSE.grace
        )
        return OFFERS.on_sale[truth.plan].plan if pays and truth.plan else OFFERS.free


async def lived(acts: list[str], seed: int) -> Life:
    life = Life(seed)
    await life.begin()
    for act in ("checkout", "buy", "hints", *acts):
        await life.act(act)
    return life


@given(st.lists(st.sampled_from(ACTS), max_size=14), st.integers(0, 2**16))
@settings(max_examples=50, deadline=None)
def test_nothing_is_charged_after_goodbye_and_entitlement_is_what_the_provider_answers(
    acts: list[str], seed: int
) -> None:
    async def play() -> None:
        life = await lived(acts, seed)
        assert life.charged_after == []
        await life.must_agree()
        assert life.charged_after == []

    asyncio.run(play())


def test_the_law_fails_where_nothing_stops_the_renewal() -> None:
    class StopsNothing(SettleRenewal):
        async def settle(self, *_: object) -> None:
            return None

    async def play() -> list[datetime]:
        life = Life(0)
        life.world.wire({"settle_renewal": StopsNothing})
        await life.begin()
        for act in ("checkout", "buy", "hints", *["wait days"] * 4, "delete", *["wait days"] * 9):
            await life.act(act)
        return life.charged_after

    assert asyncio.run(play()) != []
