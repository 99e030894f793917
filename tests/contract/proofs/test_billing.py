"""What is kept of payments and what never comes near us; and that nothing is charged after goodbye."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from aiohttp import ClientSession

from adapters.outbound.memory.payments import PERIOD, MemoryPayments
from adapters.outbound.stripe.http import client
from adapters.outbound.stripe.payments import StripePayments
from adapters.outbound.stripe.simulator import StripeSimulator
from application.billing import OpenCheckout
from application.line_release import ReleaseNumbers
from application.mail import SendEndInStoreMail
from application.ports.mail import MailKind
from application.ports.payments import PaymentHint
from application.ports.store import Tx
from application.renewal import SettleRenewal
from application.residue import ClearResidue
from application.subscription_following import FollowSubscription
from domain.billing import (
    LAPSE,
    Offers,
    PayerRef,
    PlanName,
    PurchaseToken,
    Seen,
    Seller,
    Subscription,
    SubscriptionState,
)
from domain.kernel import AccountId
from domain.lines import LineState
from domain.values import Country, Email, Label, Locale
from tests.contract.proofs.conftest import Product
from tests.contract.proofs.test_subprocessors import made_of, until
from tests.support.actors import PASSWORD, Person, sign_up
from tests.support.harness import Databases, OnPostgres, Worlds, in_clear
from tests.support.proofs import proves
from tests.unit.test_billing import PAID_ONLY, payer_of, tell

DAY = timedelta(days=1)
KEY = "sk_test_pico"
PLANS = {PlanName.BASIC: "price_basic", PlanName.PLUS: "price_plus"}


@asynccontextmanager
async def with_stripe(stored: Databases) -> AsyncIterator[tuple[OnPostgres, StripeSimulator]]:
    """Open a world on PostgreSQL that is paid through Stripe."""
    opened: list[OnPostgres] = []

    def now() -> datetime:
        return opened[0].clock.now()

    stripe = StripeSimulator(
        api_key=KEY, webhook_secret="whsec", prices={"price_basic": 499, "price_plus": 1299},
        now=now,
    )  # fmt: skip

    def payments(world: OnPostgres) -> StripePayments:
        opened.append(world)
        return StripePayments(client(session, KEY, url), PLANS, "https://app.example/{}".format)

    async with (
        stripe.running() as url,
        ClientSession() as session,
        partial(stored, payments=payments)() as world,
    ):
        yield world, stripe


async def bought(world: OnPostgres, stripe: StripeSimulator, ada: Person) -> Subscription:
    """Buy a plan, and have it heard of."""
    await world.use_cases.open_checkout(ada.id, PlanName.BASIC, secrets.token_hex(8))
    stripe.complete(next(ref for ref, each in stripe.state.checkouts.items() if each["status"] == "open"))
    for event in list(stripe.state.events.values()):
        about = event["data"]["object"]
        payer = PayerRef(about.get("customer", about["id"]))
        hint = PaymentHint(event["id"], payer, world.clock.now())
        await world.use_cases.receive_payment_hint(hint)
    await world.settle()
    return (await world.use_cases.read_subscription(ada.id)).subscription


@proves(
    "C13", text="d6c37b0d4e27", saboteur=in_clear("subscriptions.payer"), says="the customer id lies in clear"
)
async def test_of_a_subscription_the_customer_id_is_sealed_and_its_state_is_kept(stored: Databases) -> None:
    async with with_stripe(stored) as (world, stripe):
        ada = await sign_up(world)
        held = await bought(world, stripe, ada)
        (customer,) = stripe.state.customers
        assert (held.state, held.plan, held.payer) == (SubscriptionState.ACTIVE, PlanName.BASIC, customer)
        assert await world.directory.payer(PayerRef(customer)) == ada.id
        assert await world.traces(customer) == set(), "the customer id lies in clear"
        (subscription,) = stripe.state.subscriptions
        assert await world.traces(subscription, subscription.replace("sub_", "si_")) == set()


class Collects(FollowSubscription):
    """Keeps, beside what it is for, something else of what Stripe answers."""

    wanted: str

    async def _apply(self, account_id: AccountId, asked_of: Subscription, seen: Seen) -> bool:
        asked: Any = self.payments
        listing = asked.client.v1.subscriptions if self.wanted == "card" else asked.client.v1.invoices
        found = (await listing.list_async({"customer": str(asked_of.payer)}))["data"]

        async def change(tx: Tx) -> None:
            held = await tx.subscriptions.find()
            assert held is not None
            held.purchase = PurchaseToken(str(found[0]))
            tx.save(held)

        if found:
            await self.store.update(account_id, change)
        return await super()._apply(account_id, asked_of, seen)


class CollectsCards(Collects):
    wanted = "card"


class CollectsInvoices(Collects):
    wanted = "invoice"


def collects_cards(stored: Databases) -> Databases:
    return partial(in_clear("subscriptions.purchase")(stored), follow_subscription=CollectsCards)


def collects_invoices(stored: Databases) -> Databases:
    return partial(in_clear("subscriptions.purchase")(stored), follow_subscription=CollectsInvoices)


@proves("N2", text="8cbfeafe96d1", saboteur=collects_cards, says="card data was collected")
@proves("L3", text="98beb5e300ad", saboteur=collects_invoices, says="an invoice is kept by us")
async def test_cards_and_invoices_stay_where_they_are_paid(stored: Databases) -> None:
    async with with_stripe(stored) as (world, stripe):
        ada, card = await sign_up(world), f"card-{secrets.token_hex(8)}"
        await bought(world, stripe, ada)
        (held,) = stripe.state.subscriptions.values()
        held["default_payment_method"] = {"id": card, "object": "payment_method", "card": {"last4": card}}
        stripe.state.tell("customer.subscription.updated", held, 1)
        stripe.state.tell("customer.subscription.updated", held, 2)
        await world.advance(PERIOD + DAY)
        await world.advance(DAY)
        assert len(stripe.state.invoices) == 2
        assert await world.traces(card) == set(), "card data was collected"
        assert await world.traces(*stripe.state.invoices) == set(), "an invoice is kept by us"
        asked = str([form for _, _, form in stripe.requests])
        assert not any(word in asked for word in ("payment_method", "card", ada.email, "name")), (
            "we ask for it"
        )
        await world.use_cases.delete_account(ada.id, PASSWORD, waived=True)
        await world.advance(DAY)
        assert not await world.rows("accounts")
        assert len(stripe.state.invoices) == 2, "Stripe keeps what the law demands"


class KeepsNumbers(ReleaseNumbers):
    """Gives nothing back."""

    async def run(self, *_: object) -> dict[str, int]:
        return {}


def keeps_the_numbers(product: Product) -> Product:
    return partial(product, replaced={"release_numbers": KeepsNumbers})


def asks_somebody_else(product: Product) -> Product:
    def clear(**given: Any) -> ClearResidue:
        return ClearResidue(**given | {"payments": MemoryPayments(given["clock"].now)})

    return partial(product, replaced={"clear_residue": clear})


@proves("R3", text="68917dede08a", saboteur=keeps_the_numbers, says="a number is kept")
@proves("R3", text="68917dede08a", saboteur=asks_somebody_else, says="the subscription goes on")
async def test_at_hard_deletion_numbers_are_released_and_the_subscription_is_cancelled(
    product: Product,
) -> None:
    async with product() as sandbox:
        use_cases, email = sandbox.use_cases, Email("ada@example.org")
        await use_cases.sign_up(email, PASSWORD, Label("Ada"), Locale("en"))
        (mail,) = await until(sandbox.mails)
        me = (await use_cases.verify_account(mail["token"], PASSWORD)).session.account_id
        offer, *_ = await use_cases.search_numbers(Country("US"), None, None, frozenset())
        await use_cases.buy_line(me, offer.number, None, "buy")
        opened = await use_cases.open_checkout(me, PlanName.PLUS, "pay")
        sandbox.complete_checkout(opened.id)
        await until(lambda: is_active(sandbox, me))
        (held,) = sandbox.till.state.subscriptions.values()
        held["items"]["data"][0]["current_period_end"] += 365 * 86_400  # it is paid for a year
        await use_cases.delete_account(me, PASSWORD)
        await sandbox.advance(30 * DAY - timedelta(minutes=1))
        assert sandbox.till.holdings()["subscriptions"] == 1
        await sandbox.advance(timedelta(minutes=1))
        await until(sandbox.erased, "the erasure does not end")
        assert sandbox.simulator.holdings()["numbers"] == [], "a number is kept"
        held_by_stripe = sandbox.till.holdings()
        assert (held_by_stripe["subscriptions"], held_by_stripe["customers"]) == (0, 0), (
            "the subscription goes on"
        )


async def is_active(sandbox: Any, account_id: AccountId) -> bool:
    paid = await sandbox.use_cases.read_subscription(account_id)
    return bool(paid.subscription.state is SubscriptionState.ACTIVE)


def is_paid_elsewhere(product: Product) -> Product:
    def opener(**given: Any) -> OpenCheckout:
        elsewhere = MemoryPayments(given["clock"].now)
        payer = given["find_payer"]
        given["find_payer"] = type(payer)(payer.store, elsewhere, payer.clock)
        return OpenCheckout(**given | {"payments": elsewhere})

    return partial(product, replaced={"open_checkout": opener})


@proves("S2", text="76383bc1d30f", saboteur=is_paid_elsewhere, says="it is paid elsewhere")
async def test_payments_are_taken_by_stripe_and_nobody_else(product: Product) -> None:
    async with product() as sandbox:
        await sandbox.use_cases.sign_up(Email("ada@example.org"), PASSWORD, Label("Ada"), Locale("en"))
        (mail,) = await until(sandbox.mails)
        me = (await sandbox.use_cases.verify_account(mail["token"], PASSWORD)).session.account_id
        opened = await sandbox.use_cases.open_checkout(me, PlanName.BASIC, "pay")
        assert sandbox.till.holdings()["checkouts"], "it is paid elsewhere"
        assert opened.page.url.startswith(sandbox.saved.payments_url)
        providers = {type(part) for part in made_of(sandbox.use_cases) if hasattr(part, "open_portal")}
        assert {of for of in providers if hasattr(of, "make_payer")} == {StripePayments}, (
            "it is paid elsewhere"
        )


class StopsNothing(SettleRenewal):
    """Leaves the provider to itself."""

    async def settle(self, *_: object) -> None:
        return None


def stops_nothing(world: Worlds) -> Worlds:
    return partial(world, settle_renewal=StopsNothing)


class SaysNothing(SendEndInStoreMail):
    """Keeps it to itself."""

    async def is_still_so(self, tx: Tx) -> bool:
        return False


def tells_nobody(world: Worlds) -> Worlds:
    return partial(world, send_end_in_store_mail=SaysNothing)


def sold(world: Worlds, offers: Offers = PAID_ONLY) -> Any:
    """Make a world in which nothing is free."""
    return world(offers=lambda _: offers)


@proves("H80", text="fc397a33b318", saboteur=stops_nothing, says="it was charged after goodbye")
@proves("H80", text="fc397a33b318", saboteur=tells_nobody, says="nobody tells of the store")
async def test_nothing_is_charged_after_goodbye_and_of_a_store_the_person_is_told(world: Worlds) -> None:
    shop = sold(world)
    ada = await sign_up(shop)
    await shop.use_cases.open_checkout(ada.id, PlanName.BASIC, "key")
    payer = payer_of(shop, ada.id)
    shop.payments.buy(payer)
    await tell(shop)
    await shop.advance(5 * DAY)
    await shop.use_cases.delete_account(ada.id, PASSWORD)
    await shop.settle()
    await shop.advance(29 * DAY)
    assert len(shop.payments.bills) == 1, "it was charged after goodbye"
    ben = await sign_up(shop, "ben")
    await shop.use_cases.open_checkout(ben.id, PlanName.BASIC, "key")
    await shop.use_cases.delete_account(ben.id, PASSWORD)
    with pytest.raises(LookupError):
        shop.payments.buy(payer_of(shop, ben.id))
    await shop.use_cases.recover_account(ben.email, PASSWORD)
    await shop.settle()
    held = Subscription.begin(ben.id)

    async def in_store(tx: Tx) -> None:
        found = await tx.subscriptions.find() or held
        found.apply(Seen(SubscriptionState.ACTIVE, seller=Seller.APP_STORE), shop.clock.now())
        tx.save(found)

    await shop.store.update(ben.id, in_store)
    told = await shop.use_cases.delete_account(ben.id, PASSWORD)
    await shop.settle()
    assert told.end_in_store is Seller.APP_STORE
    sent = [mail.kind for mail in shop.mail.sent if mail.to == ben.email]
    assert MailKind.END_IN_STORE in sent, "nobody tells of the store"


class LetsThemTalk(FollowSubscription):
    """Takes what was paid for once for paid for good."""

    async def _apply(self, account_id: AccountId, asked_of: Subscription, seen: Seen) -> bool:
        return await super()._apply(account_id, asked_of, Seen(SubscriptionState.ACTIVE, PlanName.BASIC))


def lets_them_talk(world: Worlds) -> Worlds:
    return partial(world, follow_subscription=LetsThemTalk)


@proves("H81", text="c78790783d13", saboteur=lets_them_talk, says="a line works that nobody pays for")
async def test_lines_that_nobody_pays_for_fall_silent_and_go_after_a_warning(world: Worlds) -> None:
    shop = sold(world)
    ada = await sign_up(shop)
    await shop.use_cases.open_checkout(ada.id, PlanName.BASIC, "key")
    payer = payer_of(shop, ada.id)
    shop.payments.buy(payer)
    await tell(shop)
    await ada.with_line("+12025550143")
    shop.payments.decline(payer)
    await shop.advance(PERIOD + timedelta(hours=2))
    await tell(shop)
    assert await state(shop, ada) is LineState.ACTIVE, "a failed payment changes something at once"
    await shop.advance(LAPSE.grace - timedelta(hours=3))
    assert await state(shop, ada) is LineState.ACTIVE, "a failed payment changes something within its week"
    await shop.advance(timedelta(hours=4))
    assert await state(shop, ada) is LineState.SUSPENDED, "a line works that nobody pays for"
    for _ in range(22):
        await shop.advance(DAY)
    assert MailKind.RELEASE_ANNOUNCED not in [mail.kind for mail in shop.mail.sent]
    await shop.advance(DAY)
    assert MailKind.RELEASE_ANNOUNCED in [mail.kind for mail in shop.mail.sent]
    await shop.advance(6 * DAY)
    assert await state(shop, ada) is LineState.SUSPENDED
    await shop.advance(DAY)
    assert await state(shop, ada) is LineState.PENDING_RELEASE


async def state(shop: Any, ada: Person) -> LineState:
    found: LineState = (await shop.use_cases.read_line(ada.id, ada.line_id)).state
    return found
