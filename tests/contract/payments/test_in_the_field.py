"""How others' work with Stripe has failed, by their public reports, and what ours does there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientSession, web

from adapters.inbound.http.server import serving
from adapters.outbound.memory.system import HandClock
from adapters.outbound.stripe.http import client
from adapters.outbound.stripe.payments import StripePayments
from adapters.outbound.stripe.reading import hint_of, seen
from adapters.outbound.stripe.simulator import StripeSimulator
from adapters.outbound.stripe.simulator.shapes import subscription
from application.ports.payments import PaymentRefused, PaymentsUnavailable
from bootstrap.worlds import InMemory
from domain.billing import Offer, Offers, PayerRef, PlanName, SubscriptionState
from domain.entitlements import Plan
from domain.kernel import AccountId
from domain.lines import LineState
from domain.money import Money
from pico_testkit.contracts.payments import ADA, START
from tests.contract.payments.test_payments import KEY, PLANS, PRICES, SECRET
from tests.support.actors import PASSWORD, Person, sign_up

PAID_ONLY = Offers(
    {
        PlanName.BASIC: Offer(PlanName.BASIC, Money(499, "USD"), Plan(1)),
        PlanName.PLUS: Offer(PlanName.PLUS, Money(1299, "USD"), Plan(3)),
    }
)
DAY = timedelta(days=1)


@dataclass
class Shop:
    """The product in memory, paid through the adapter, before a Stripe that bills by the same clock."""

    world: InMemory
    stripe: StripeSimulator
    payments: StripePayments
    ada: Person

    async def buys(self, plan: PlanName = PlanName.BASIC) -> str:
        """Buy a plan, and return the subscription's id."""
        opened = await self.world.use_cases.open_checkout(self.ada.id, plan, uuid4().hex)
        self.pays()
        assert opened.page.url
        await self.hears()
        return next(reversed(self.stripe.state.subscriptions))

    def pays(self) -> None:
        self.stripe.complete(
            next(ref for ref, each in self.stripe.state.checkouts.items() if each["status"] == "open")
        )

    async def hears(self) -> None:
        """Have all that Stripe ever told come in, in the wrong order."""
        for event in reversed(self.stripe.state.events.values()):
            if (hint := hint_of(event)) is not None:
                await self.world.use_cases.receive_payment_hint(hint)
        await self.world.settle()

    async def state(self) -> SubscriptionState:
        return (await self.world.use_cases.read_subscription(self.ada.id)).subscription.state


@asynccontextmanager
async def opened_shop() -> AsyncIterator[Shop]:
    clock = HandClock(START)
    stripe = StripeSimulator(api_key=KEY, webhook_secret=SECRET, prices=PRICES, now=clock.now)
    async with stripe.running() as url, ClientSession() as session:
        payments = StripePayments(client(session, KEY, url), PLANS, "https://app.example/{}".format)
        world = InMemory(payments=payments, offers=PAID_ONLY, clock=clock)
        yield Shop(world, stripe, payments, await sign_up(world))


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with opened_shop() as shop:
        yield shop


async def test_created_comes_after_updated_and_does_not_make_it_incomplete(shop: Shop) -> None:
    """stripe-cli 418, cashier-stripe 1201: the older event was applied, and who had paid was locked out."""
    await shop.buys()
    assert await shop.state() is SubscriptionState.ACTIVE


async def test_checkouts_at_the_same_time_make_one_customer(shop: Shop) -> None:
    """stripe-recommendations 20, memories 394: read, then create, then write made several customers."""
    opens = shop.world.use_cases.open_checkout
    await asyncio.gather(
        *(opens(shop.ada.id, PlanName.BASIC, str(n)) for n in range(6)), return_exceptions=True
    )
    assert len(shop.stripe.state.customers) == 1
    assert sum(each["status"] == "open" for each in shop.stripe.state.checkouts.values()) <= 1


async def test_who_bought_twice_is_renewed_once(shop: Shop) -> None:
    """gitpod 16524, cashier-stripe 1604: two subscriptions, two invoices each month."""
    first = await shop.buys()
    held = shop.stripe.state.subscriptions[first]
    second = subscription(
        "sub_second", held["customer"], held["created"] + 1, ("price_plus", 1299), {}, "active"
    )
    shop.stripe.hold(second)
    shop.stripe.state.tell("customer.subscription.created", second, held["created"] + 1)
    await shop.hears()
    assert (held["cancel_at_period_end"], second["cancel_at_period_end"]) == (False, True)
    await shop.world.advance(timedelta(days=31))
    assert len(shop.stripe.state.invoices) == 2


async def test_the_period_is_read_where_this_version_has_it() -> None:
    """stripe-dotnet 3089, threadplane 534: the period had moved from the subscription to its items."""
    bought = subscription("sub_1", "cus_1", 1767614400, ("price_basic", 499), {}, "active")
    assert "current_period_end" not in bought
    assert seen([bought], {"price_basic": PlanName.BASIC}).period_ends_at == START + timedelta(days=30)


async def test_an_end_that_a_portal_set_is_one_whichever_field_says_so(shop: Shop) -> None:
    """better-auth 5780, stripe-node 2470, shorebird 3883: `cancel_at` alone, in flexible billing mode."""
    held = shop.stripe.state.subscriptions[await shop.buys()]
    end = held["items"]["data"][0]["current_period_end"]
    held.update(cancel_at=end, cancel_at_period_end=False)
    shop.stripe.state.tell("customer.subscription.updated", held, 1767614401)
    await shop.hears()
    paid = (await shop.world.use_cases.read_subscription(shop.ada.id)).subscription
    assert paid.ends_at == paid.period_ends_at is not None
    await shop.world.use_cases.delete_account(shop.ada.id, PASSWORD)
    await shop.world.use_cases.recover_account(shop.ada.email, PASSWORD)
    await shop.world.settle()
    assert held["cancel_at"] == end, "the person's own end stays"


@pytest.mark.parametrize("about", [{"customer": None}, {}, {"customer": "cus_1", "subscription": None}])
def test_an_invoice_without_a_subscription_or_a_customer_breaks_nothing(about: dict[str, Any]) -> None:
    """commerce-stripe 317, pointfreeco 499, fxa 19606: not every invoice is for a subscription, or says which."""
    event = {
        "object": "event",
        "id": "evt_1",
        "created": 1,
        "type": "invoice.paid",
        "data": {"object": about},
    }
    found = hint_of(event)
    assert (found and found.payer) == about.get("customer")


async def test_a_key_is_never_used_with_other_words(shop: Shop) -> None:
    """bootcamp 3928, stripe-ruby 503: a key sent again with other parameters is an error, for a day."""
    for plan in (PlanName.BASIC, PlanName.PLUS):
        await shop.world.use_cases.open_checkout(shop.ada.id, plan, plan.value)
    first = await shop.world.use_cases.open_checkout(shop.ada.id, PlanName.BASIC, "basic")
    assert first.repeated
    keys = [key for key in shop.stripe.state.answers if key.startswith("checkout-")]
    assert len(keys) == 2
    moved = replace(shop.payments, link="https://moved.example/{}".format)
    shop.world.payments = moved  # type: ignore[assignment]
    shop.world.wire()
    for _ in range(2):
        again = await shop.world.use_cases.open_checkout(shop.ada.id, PlanName.BASIC, "basic")
        assert again.id == first.id
    pages = shop.stripe.state.checkouts.values()
    assert [each["success_url"] for each in pages if each["status"] == "open"] == [
        "https://moved.example/billing/read_subscription"
    ]


async def test_a_customer_who_was_deleted_in_the_dashboard_can_buy_again(shop: Shop) -> None:
    """woocommerce-gateway-stripe 4052, airwaylab 29: the id on record led nowhere, for ever."""
    await shop.buys()
    (gone,) = shop.stripe.state.customers
    shop.stripe.api.delete_customer(gone)
    await shop.hears()
    assert await shop.state() is SubscriptionState.ENDED
    await shop.buys(PlanName.PLUS)
    assert await shop.state() is SubscriptionState.ACTIVE
    assert [ref for ref, each in shop.stripe.state.customers.items() if not each.get("deleted")] != [gone]


async def test_lines_do_not_go_on_for_nothing_once_the_customer_is_deleted(shop: Shop) -> None:
    """The same reports: nothing told the product that nobody pays any more."""
    await shop.buys()
    await shop.ada.with_line("+12025550143")
    shop.stripe.api.delete_customer(next(iter(shop.stripe.state.customers)))
    await shop.hears()
    line = await shop.world.use_cases.read_line(shop.ada.id, shop.ada.line_id)
    assert line.state is LineState.SUSPENDED


async def test_who_is_gone_at_stripe_already_can_be_erased(shop: Shop) -> None:
    """readthedocs.org 11071, pinax-stripe 7: deletion failed because the customer was not there."""
    await shop.buys()
    shop.stripe.state.customers.clear()
    await shop.world.use_cases.delete_account(shop.ada.id, PASSWORD, waived=True)
    await shop.world.advance(timedelta())
    assert await shop.world.ledger.receipt(await shop.world.fingerprint(shop.ada.id)) is not None


async def test_a_payment_that_failed_is_not_tried_again_after_goodbye(shop: Shop) -> None:
    """mltshp 648, CMSaasStarter 187, cocalc 1137: the account was gone, and the card charged."""
    await shop.buys()
    shop.stripe.faults.declines = True
    await shop.world.advance(timedelta(days=30, hours=2))
    await shop.hears()
    assert await shop.state() is SubscriptionState.PAST_DUE
    await shop.world.use_cases.delete_account(shop.ada.id, PASSWORD)
    shop.stripe.faults.declines = False
    shop.stripe.billing.retry()
    assert [each["status"] for each in shop.stripe.state.invoices.values()].count("paid") == 1


async def test_a_first_payment_that_needs_another_step_locks_nobody_out(shop: Shop) -> None:
    """cashier-stripe 1718, commerce-stripe 338: incomplete for ever, and neither access nor another try."""
    shop.stripe.faults.declines = True
    await shop.buys()
    assert await shop.state() is SubscriptionState.INCOMPLETE
    shop.stripe.faults.declines = False
    await shop.buys(PlanName.PLUS)
    assert await shop.state() is SubscriptionState.ACTIVE


async def test_what_others_sell_with_the_same_account_is_passed_over(shop: Shop) -> None:
    """lago-api 846: webhooks of customers that the product never made filled the queues."""
    stranger = shop.stripe.api.make_customer({"metadata": {}})
    shop.stripe.state.tell(
        "customer.subscription.updated", {"object": "subscription", "customer": stranger["id"]}, 1
    )
    await shop.hears()
    assert await shop.world.directory.payer(PayerRef(stranger["id"])) is None
    assert await shop.payments.find_payers(AccountId(uuid4()), START - DAY) == []


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, '{"error": {"type": "api_error"}}', PaymentsUnavailable),
        (409, '{"error": {"type": "idempotency_error"}}', PaymentsUnavailable),
        (429, '{"error": {"type": "invalid_request_error"}}', PaymentsUnavailable),
        (401, '{"error": {"type": "invalid_request_error"}}', PaymentsUnavailable),
        (400, '{"error": {"type": "idempotency_error"}}', PaymentRefused),
        (402, '{"error": {"type": "card_error", "code": "card_declined"}}', PaymentRefused),
        (302, "", PaymentsUnavailable),
        (200, "<html>", PaymentsUnavailable),
        (200, "[]", PaymentsUnavailable),
        (200, '{"id": "' + "c" * 65 + '"}', PaymentsUnavailable),
        (200, "x" * (4 << 20) + "x", PaymentsUnavailable),
    ],
)
async def test_whatever_comes_back_is_one_of_two_errors_and_quotes_nothing(
    status: int, body: str, expected: type[Exception]
) -> None:
    """What a proxy in between says is no answer of Stripe's; and an error's text holds what was sent."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, body=body.encode(), headers={"Location": "http://127.0.0.1:9/"})

    async with serving(answer, "127.0.0.1", 0) as port, ClientSession() as session:
        payments = StripePayments(client(session, KEY, f"http://127.0.0.1:{port}"), PLANS, str)
        with pytest.raises(expected) as raised:
            await payments.make_payer(ADA, uuid4())
    assert raised.value.__cause__ is None
    assert str(ADA) not in str(raised.value)
