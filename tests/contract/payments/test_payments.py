"""The payment providers, each under the one contract, and what Stripe alone gets and answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from aiohttp import ClientSession

from adapters.outbound.memory.payments import MemoryPayments
from adapters.outbound.memory.system import HandClock
from adapters.outbound.stripe.http import client
from adapters.outbound.stripe.payments import StripePayments
from adapters.outbound.stripe.simulator import StripeSimulator
from domain.billing import PayerRef, PlanName
from pico_testkit.contracts.payments import START, PaymentsContract

KEY, SECRET = "sk_test_pico", "whsec_pico"
PRICES = {"price_basic": 499, "price_plus": 1299}
PLANS = {PlanName.BASIC: "price_basic", PlanName.PLUS: "price_plus"}


@pytest.fixture
def clock() -> HandClock:
    return HandClock(START)


class Timed(PaymentsContract):
    @pytest.fixture
    def advance(self, clock: HandClock) -> Callable[[timedelta], None]:
        return clock.advance


class TestMemoryPayments(Timed):
    @pytest.fixture
    def payments(self, clock: HandClock) -> MemoryPayments:
        return MemoryPayments(clock.now)

    @pytest.fixture
    def buy(self, payments: MemoryPayments) -> Callable[[PayerRef], None]:
        return payments.buy

    @pytest.fixture
    def declines(self, payments: MemoryPayments) -> Callable[[bool], None]:
        def set_all(refused: bool) -> None:
            for payer in payments.payers:
                payments.decline(payer, declines=refused)

        return set_all

    @pytest.fixture
    def finalised(self, payments: MemoryPayments) -> Callable[[], int]:
        return lambda: sum(bill.finalised_at is not None for bill in payments.bills)

    @pytest.fixture
    def paid(self, payments: MemoryPayments) -> Callable[[], int]:
        return lambda: sum(bill.paid for bill in payments.bills)

    @pytest.fixture
    def outage(self, payments: MemoryPayments) -> Callable[[bool], None]:
        return lambda away: setattr(payments, "outage", away)

    @pytest.fixture
    def lose_answer(self, payments: MemoryPayments) -> Callable[[], None]:
        return lambda: setattr(payments, "lost_answers", 1)


@pytest.fixture
def simulator(clock: HandClock) -> StripeSimulator:
    return StripeSimulator(api_key=KEY, webhook_secret=SECRET, prices=PRICES, now=clock.now)


@pytest.fixture
async def stripe_payments(simulator: StripeSimulator) -> AsyncIterator[StripePayments]:
    async with simulator.running() as url, ClientSession() as session:
        yield StripePayments(client(session, KEY, url), PLANS, "https://app.example/{}".format)


class TestStripe(Timed):
    @pytest.fixture
    def payments(self, stripe_payments: StripePayments) -> StripePayments:
        return stripe_payments

    @pytest.fixture
    def buy(self, simulator: StripeSimulator) -> Callable[[PayerRef], None]:
        def complete(payer: PayerRef) -> None:
            held = simulator.state.of(payer, "checkouts")
            found = [each["id"] for each in held if each["status"] == "open"]
            if len(found) != 1:
                raise LookupError
            simulator.complete(found[0])

        return complete

    @pytest.fixture
    def declines(self, simulator: StripeSimulator) -> Callable[[bool], None]:
        def set_all(refused: bool) -> None:
            simulator.faults.declines = refused
            if not refused:
                simulator.billing.retry()

        return set_all

    @pytest.fixture
    def finalised(self, simulator: StripeSimulator) -> Callable[[], int]:
        return lambda: sum(each["status"] in {"open", "paid"} for each in simulator.state.invoices.values())

    @pytest.fixture
    def paid(self, simulator: StripeSimulator) -> Callable[[], int]:
        return lambda: sum(each["status"] == "paid" for each in simulator.state.invoices.values())

    @pytest.fixture
    def outage(self, simulator: StripeSimulator) -> Callable[[bool], None]:
        return lambda away: setattr(simulator.faults, "outage", away)

    @pytest.fixture
    def lose_answer(self, simulator: StripeSimulator) -> Callable[[], None]:
        return lambda: setattr(simulator.faults, "silence", 1)
